// Response heads: what Swift sends, what nobody should send.
#include "transport/http/response_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fragmend::transport::http {
namespace {

constexpr std::string_view swifts_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nEtag: \"0123\"\r\n"
    "X-Object-Meta-Odd:  caf\xc3\xa9 \x85\x0c: x \r\nContent-Length: 42\r\n\r\n";

TEST(ResponseHead, FindsItsEndOneByteAtATime) {
    const std::string text = std::string(swifts_head) + "body";
    for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
        const auto length = ResponseHead::length(text.substr(0, bytes), bytes > 0 ? bytes - 1 : 0);
        if (bytes < swifts_head.size()) {
            EXPECT_FALSE(length.has_value()) << bytes;
        } else if (bytes == swifts_head.size()) {
            EXPECT_EQ(length, swifts_head.size());
        }
    }
    EXPECT_EQ(ResponseHead::length(text), swifts_head.size());
    EXPECT_EQ(ResponseHead::length("HTTP/1.1 200 OK\nA: b\n\nrest"), 22u);
}

TEST(ResponseHead, ReadsSwiftsAnswer) {
    auto parsed = ResponseHead::parse(swifts_head);
    ASSERT_TRUE(parsed.has_value());
    const ResponseHead head = std::move(*parsed);
    EXPECT_EQ(head.status(), 200);
    EXPECT_EQ(head.find("etag"), "\"0123\"");
    EXPECT_EQ(head.find("X-OBJECT-META-ODD"), "caf\xc3\xa9 \x85\x0c: x");
    EXPECT_EQ(head.find("missing"), std::nullopt);
    EXPECT_EQ(head.content_length(), 42u);
    EXPECT_FALSE(head.chunked());
    EXPECT_TRUE(head.keeps_alive());
}

TEST(ResponseHead, KnowsWhenAConnectionEnds) {
    const auto keeps = [](std::string_view text) {
        return ResponseHead::parse(text)->keeps_alive();
    };
    EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.1 204 No Content\r\n\r\n"));
}

TEST(ResponseHead, RefusesWhatIsNoAnswer) {
    for (const std::string_view text :
         {"", "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
          "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 600 No\r\n\r\n",
          "HTTP/1.1 +20 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
          "HTTP/1.1 200 OK\r\n folded: line\r\n\r\n", "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
        const auto parsed = ResponseHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
}

TEST(ResponseHead, BoundsItsLines) {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 2000; ++i)
        text += "a: b\r\n";
    EXPECT_TRUE(ResponseHead::parse(text + "\r\n").has_error());
    EXPECT_TRUE(ResponseHead::parse("HTTP/1.1 200 OK\r\na: " + std::string(70000, 'x') + "\r\n\r\n")
                    .has_error());
}

}  // namespace
}  // namespace fragmend::transport::http
