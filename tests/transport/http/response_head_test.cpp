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

TEST(ResponseHead, TakesMetadataThatSwiftStores) {
    // Swift's servers send back what was stored: names beyond ASCII, control characters in values.
    const std::string text =
        "HTTP/1.1 200 OK\r\nX-Object-Meta-Caf\xc3\xa9(1): a\x01\x7f\tb\r\nX-Object-Meta-Empty:\r\n"
        "X-Object-Meta-Colon: a:b: c\r\nContent-Length: 7\r\nEtag: \"0123\"\r\n\r\n";
    auto parsed = ResponseHead::parse(text);
    ASSERT_TRUE(parsed.has_value());
    const ResponseHead head = std::move(*parsed);
    EXPECT_EQ(head.find("x-object-meta-caf\xc3\xa9(1)"), "a\x01\x7f\tb");
    EXPECT_EQ(head.find("X-Object-Meta-Empty"), "");
    EXPECT_EQ(head.find("X-Object-Meta-Colon"), "a:b: c");
    EXPECT_EQ(head.find("Etag"), "\"0123\"");
    EXPECT_EQ(head.content_length(), 7u);
}

TEST(ResponseHead, OddBytesNeverChangeTheFraming) {
    for (const std::string_view text :
         {"HTTP/1.1 200 OK\r\nContent-Length: 1\x01\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\x0c\r\n\r\n",
          "HTTP/1.1 200 OK\r\nX\xc3\xa9: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
        const auto parsed = ResponseHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
    const auto unknown =
        ResponseHead::parse("HTTP/1.1 200 OK\r\nContent-Length\xc2\xa0: 5\r\n\r\n");
    ASSERT_TRUE(unknown.has_value());
    EXPECT_EQ(unknown->content_length(), std::nullopt);
}

TEST(ResponseHead, UnfoldsMetadataThatSwiftStoresFolded) {
    // All that a proxy lets through: any line end, as long as a blank follows it.
    const std::string text =
        "HTTP/1.1 200 OK\r\nX-Object-Meta-A: one\r\n two\r\nX-Object-Meta-B:\r\n\ttwo \r\n"
        "X-Object-Meta-C: one \n  two\r \t three\r\n \r\n four: \x01\r\n"
        "Content-Length: 7\r\nEtag: \"0123\"\r\n\r\n";
    EXPECT_EQ(ResponseHead::length(text + "body"), text.size());
    auto parsed = ResponseHead::parse(text);
    ASSERT_TRUE(parsed.has_value()) << to_string(parsed.error());
    const ResponseHead head = std::move(*parsed);
    EXPECT_EQ(head.find("X-Object-Meta-A"), "one two");
    EXPECT_EQ(head.find("X-Object-Meta-B"), "two");
    EXPECT_EQ(head.find("X-Object-Meta-C"), "one two three four: \x01");
    EXPECT_EQ(head.find("four"), std::nullopt);
    EXPECT_EQ(head.find("Etag"), "\"0123\"");
    EXPECT_EQ(head.content_length(), 7u);
}

TEST(ResponseHead, WhatFramesABodyNeverGoesOnInTheNextLine) {
    for (const std::string_view text :
         {"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 1\r\n 2\r\n\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length:\r\n 12\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding:\n chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nConnection: close\r\n \r\n\r\n",
          "HTTP/1.1 200 OK\r\n Content-Length: 1\r\n\r\n",
          "HTTP/1.1 200\r\n OK\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 200\r OK\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 OK\r \r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n : b\r\n\r\n"}) {
        const auto parsed = ResponseHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
}

TEST(ResponseHead, RefusesWhatBeastWouldTake) {
    for (const std::string_view text :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1,1\r\n\r\n",
          "HTTP/1.1 999 Strange\r\nContent-Length: 1\r\n\r\n"}) {
        const auto parsed = ResponseHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
    const auto keeps = ResponseHead::parse(
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n");
    ASSERT_TRUE(keeps.has_value());
    EXPECT_FALSE(keeps->keeps_alive());
}

TEST(ResponseHead, RefusesLooseLineEnds) {
    for (const std::string_view text :
         {"HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n",
          "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\n",
          "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n"}) {
        const auto parsed = ResponseHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
}

TEST(ResponseHead, AnnouncesArchivesOfAnyLength) {
    const auto parsed =
        ResponseHead::parse("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n");
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->content_length(), 18446744073709551615u);
    EXPECT_TRUE(
        ResponseHead::parse("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n")
            .has_error());
}

TEST(ResponseHead, SaysWhatIsWrong) {
    const auto error_of = [](std::string_view text) {
        return to_string(ResponseHead::parse(text).error());
    };
    EXPECT_EQ(error_of("ICY 200 OK\r\n\r\n"), "protocol: BadStatusLine: ICY 200 OK");
    EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nA: b\r\nno colon\r\n\r\n"),
              "protocol: a header line that is no field: b'no colon'");
    EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\n\xc3\xa9: b\r\nno \xc3\xa9\r\n\r\n"),
              "protocol: a header line that is no field: b'no \\xc3\\xa9'");
    EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
              "protocol: contradicting Content-Length");
    for (const char* fields : {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                               "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"}) {
        EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n"),
                  "protocol: both Content-Length and Transfer-Encoding");
    }
    EXPECT_EQ(error_of("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "protocol: a chunked body where there can be none");
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
