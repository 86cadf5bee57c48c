// Request heads: what Swift's daemons and proxies send, what nobody should send.
#include "transport/http/request_head.hpp"

#include <gtest/gtest.h>

namespace fragmend::transport::http {
namespace {

TEST(RequestHead, ReadsARequestOfAProxy) {
    auto parsed = RequestHead::parse(
        "PUT /sdb1/7/AUTH_a/c/o%20%C3%A9?x=1 HTTP/1.1\r\nHost: 127.0.0.1:6200\r\n"
        "Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n"
        "X-Object-Meta-Caf\xc3\xa9:  a\x01\x85 : b \r\nX-Empty:\r\n\r\n");
    ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
    const RequestHead head = std::move(*parsed);
    EXPECT_EQ(head.method(), "PUT");
    EXPECT_EQ(head.path(), "/sdb1/7/AUTH_a/c/o \xc3\xa9");
    EXPECT_TRUE(head.chunked());
    EXPECT_TRUE(head.has_body());
    EXPECT_TRUE(head.expects_continue());
    EXPECT_TRUE(head.keeps_alive());
    EXPECT_EQ(head.content_length(), std::nullopt);
    ASSERT_EQ(head.field_count(), 5u);
    EXPECT_EQ(head.field(3).first, "X-Object-Meta-Caf\xc3\xa9");
    EXPECT_EQ(head.field(3).second, "a\x01\x85 : b");
    EXPECT_EQ(head.find("x-empty"), "");
    EXPECT_EQ(head.find("X-Missing"), std::nullopt);
}

TEST(RequestHead, ReadsTheUnquotedLineOfASession) {
    auto head = RequestHead::parse("SSYNC /sd~b/12 HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->method(), "SSYNC");
    EXPECT_EQ(head->path(), "/sd~b/12");
    EXPECT_FALSE(head->has_body());
}

TEST(RequestHead, KnowsWhoGoesOn) {
    const auto keeps = [](std::string_view text) {
        return RequestHead::parse(text).value().keeps_alive();
    };
    EXPECT_TRUE(keeps("GET / HTTP/1.1\r\n\r\n"));
    EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
    EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
}

TEST(RequestHead, UnfoldsMetadata) {
    const std::string text =
        "PUT /o HTTP/1.1\r\nX-Object-Meta-A: one\r\n two\r\nX-Object-Meta-B:\r\n\ttwo \r\n"
        "X-Object-Meta-C: one\r\n \r\n two: \x01\r\nContent-Length: 7\r\n\r\n";
    auto parsed = RequestHead::parse(text);
    ASSERT_TRUE(parsed.has_value()) << to_string(parsed.error());
    const RequestHead head = std::move(*parsed);
    EXPECT_EQ(head.find("X-Object-Meta-A"), "one two");
    EXPECT_EQ(head.find("X-Object-Meta-B"), "two");
    EXPECT_EQ(head.find("X-Object-Meta-C"), "one two: \x01");
    EXPECT_EQ(head.find("two"), std::nullopt);
    EXPECT_EQ(head.content_length(), 7u);
}

// Whoever stands between may have read the line behind the fold as a field of its own.
TEST(RequestHead, WhatFramesABodyIsNeverFolded) {
    for (const std::string_view fields :
         {"A: b\r\n Transfer-Encoding: chunked", "A: b\r\n\tcontent-length : 5",
          "A: b\r\n \r\n Expect: 100-continue", "A: b\r\n c\r\n Connection: close",
          "Content-Length: 1\r\n 2", "Transfer-Encoding:\r\n chunked", "Connection: close\r\n ",
          "expect:\r\n 100-continue", " A: b", "A: b\r c", "A: b\r\n\r c", "no colon\r\n : b"}) {
        const auto text = "PUT / HTTP/1.1\r\n" + std::string(fields) + "\r\n\r\n";
        const auto parsed = RequestHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
}

TEST(RequestHead, HeaderLinesHaveABoundOfTheirOwn) {
    const auto head = [](std::size_t target_bytes, std::size_t value_bytes) {
        return "GET /" + std::string(target_bytes, 'a') +
               " HTTP/1.1\r\nA: " + std::string(value_bytes, 'b') + "\r\n\r\n";
    };
    EXPECT_TRUE(RequestHead::parse(head(1, 12000), 20000).has_value());
    EXPECT_EQ(RequestHead::parse(head(1, 12000)).error().code, errc::limit);
    EXPECT_EQ(RequestHead::parse(head(1, 21000), 20000).error().code, errc::limit);
    EXPECT_EQ(RequestHead::parse(head(12000, 1), 20000).error().code, errc::limit);
}

TEST(RequestHead, RefusesWhatIsNoRequest) {
    for (const std::string_view text :
         {"",
          "\r\n\r\n",
          "GET\r\n\r\n",
          "GET /\r\n\r\n",
          "GET / HTTP/2.0\r\n\r\n",
          "GET / HTTP/1.2\r\n\r\n",
          "G\x01T / HTTP/1.1\r\n\r\n",
          "GET  / HTTP/1.1\r\n\r\n",
          "GET /a b HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nno colon\r\n\r\n",
          "GET / HTTP/1.1\r\n: x\r\n\r\n",
          "GET / HTTP/1.1\r\nA : b\r\n\r\n",
          "GET / HTTP/1.1\nA: b\n\n",
          "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
          "PUT / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
          "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
          "PUT / HTTP/1.1\r\nContent-Length: 0x10\r\n\r\n",
          "PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
          "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
          "PUT / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
          "PUT / HTTP/1.1\r\nTransfer-Encoding\x0b: chunked\r\n\r\n"}) {
        const auto parsed = RequestHead::parse(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_EQ(parsed.error().code, errc::protocol) << text;
    }
}

TEST(RequestHead, HasBounds) {
    const std::string long_line(request_line_bytes_max + 1, 'a');
    const auto code_of = [](const std::string& text) {
        return RequestHead::parse(text).error().code;
    };
    EXPECT_EQ(code_of("GET /" + long_line + " HTTP/1.1\r\n\r\n"), errc::limit);
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\nA: " + long_line + "\r\n\r\n"), errc::limit);
    std::string fields;
    for (std::size_t i = 0; i <= request_fields_max; ++i)
        fields += "A: b\r\n";
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\n" + fields + "\r\n"), errc::limit);
    std::string large;
    while (large.size() <= request_head_bytes_max)
        large += "A: " + std::string(8000, 'b') + "\r\n";
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\n" + large + "\r\n"), errc::limit);
}

}  // namespace
}  // namespace fragmend::transport::http
