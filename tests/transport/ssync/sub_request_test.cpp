// Sub-requests against the bytes that Swift's sender writes.
#include "transport/ssync/sub_request.hpp"

#include <gtest/gtest.h>

#include "tests/golden/transport/swift_bytes.hpp"
#include "transport/http/chunked.hpp"

namespace fragmend::transport::ssync {
namespace {

class NoBody final : public BodyStream {
  public:
    Awaitable<Result<ByteView>> next() override { co_return ByteView(); }
};

SubRequest put(std::vector<std::pair<std::string, std::string>> headers, std::uint64_t length) {
    SubRequest request;
    request.method = "PUT";
    request.path = "/a/c/o\xc3\xa9 1";
    request.headers = std::move(headers);
    request.content_length = length;
    request.body = std::make_unique<NoBody>();
    return request;
}

TEST(SsyncSubRequest, HeadsAreSwifts) {
    std::string sent;
    http::append_chunk(sent, sub_request_head(put({{"X-Timestamp", "1795333043.19771"},
                                                   {"Content-Type", "text/plain"},
                                                   {"X-Object-Meta-b", "low"},
                                                   {"X-Object-Meta-B2", "up"},
                                                   {"ETag", "d41d8cd98f00b204e9800998ecf8427e"},
                                                   {"X-Object-Sysmeta-Ec-Frag-Index", "2"},
                                                   {"X-Backend-No-Commit", "True"}},
                                                  5)));
    http::append_chunk(sent, "abc");
    http::append_chunk(sent, "de");
    SubRequest post;
    post.method = "POST";
    post.path = "/a/c/o\xc3\xa9 1";
    post.headers = {{"X-Timestamp", "1795333053.19771"}, {"X-Object-Meta-Color", "red"}};
    http::append_chunk(sent, sub_request_head(post));
    SubRequest gone;
    gone.method = "DELETE";
    gone.path = "/a/c/gone";
    gone.headers = {{"X-Timestamp", "1795333043.19771"}};
    http::append_chunk(sent, sub_request_head(gone));
    EXPECT_EQ(sent, golden::sub_requests);
}

TEST(SsyncSubRequest, ValuesKeepTheirBytes) {
    const auto head = sub_request_head(put({{"X-Object-Meta-Caf\xc3\xa9", "\xc3\xa9\xa0\x85"}}, 0));
    EXPECT_NE(head.find("X-Object-Meta-Caf\xc3\xa9: \xc3\xa9\xa0\x85\r\n"), std::string::npos);
}

TEST(SsyncSubRequest, RefusesWhatWouldBreakTheStream) {
    EXPECT_TRUE(check_sub_request(put({{"A", "b"}}, 5)).has_value());
    EXPECT_TRUE(check_sub_request(put({{"A", "b\r\nC: d"}}, 5)).has_error());
    EXPECT_TRUE(check_sub_request(put({{"A\n", "b"}}, 5)).has_error());
    EXPECT_TRUE(check_sub_request(put({{"A: B", "b"}}, 5)).has_error());
    EXPECT_TRUE(check_sub_request(put({{"", "b"}}, 5)).has_error());
    EXPECT_TRUE(check_sub_request(put({{"A", std::string("\0", 1)}}, 5)).has_error());
    EXPECT_TRUE(check_sub_request(put({{"content-LENGTH", "5"}}, 5)).has_error());
    EXPECT_TRUE(check_sub_request(put({}, 5)).has_error());
    auto request = put({{"A", "b"}}, 5);
    request.method = "POST";
    EXPECT_TRUE(check_sub_request(request).has_error());
    request.method = "GET";
    EXPECT_TRUE(check_sub_request(request).has_error());
    request = put({{"A", "b"}}, 5);
    request.body.reset();
    EXPECT_TRUE(check_sub_request(request).has_error());
    request = put({{"A", "b"}}, 5);
    request.path = "no slash";
    EXPECT_TRUE(check_sub_request(request).has_error());
}

}  // namespace
}  // namespace fragmend::transport::ssync
