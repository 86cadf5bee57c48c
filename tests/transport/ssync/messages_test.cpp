// Lines and sub-requests against the bytes that Swift's sender writes.
#include "transport/ssync/messages.hpp"

#include <gtest/gtest.h>

#include "tests/golden/transport/swift_bytes.hpp"
#include "transport/http/chunked.hpp"

namespace fragmend::transport::ssync {
namespace {

const std::string hash = "461a6a9351174f3dc7e7ab432e03ca29";

Timestamp at(const char* text) {
    return Timestamp::parse(text).value();
}

TEST(SsyncMissingCheck, OffersAreSwifts) {
    const auto data = at("1795332145.61494"), later = at("1795332155.61494"),
               middle = at("1795332150.61494"), earlier = at("1795332145.61400");
    const Offer offers[] = {
        {hash, data, {}, {}, {}},           {hash, data, data, data, true},
        {hash, data, later, data, true},    {hash, data, later, middle, true},
        {hash, data, later, middle, false}, {hash, data, earlier, {}, false},
        {hash, data, {}, {}, false},        {hash, at("1795332145.61494_a"), {}, {}, {}},
    };
    std::string lines;
    for (const Offer& offer : offers)
        lines += encode_missing(offer) + "\n";
    EXPECT_EQ(lines, golden::offers);
}

TEST(SsyncMissingCheck, OffsetsOfLaterTimesTravelWithTheirDelta) {
    const Offer offer{hash, at("1.00000_1"), at("1.00010_2"), at("1.00000_3"), {}};
    EXPECT_EQ(encode_missing(offer), hash + " 0000000001.00000_0000000000000001 m:a__2,t:0__3");
}

TEST(SsyncMissingCheck, ReadsWhatIsWanted) {
    struct {
        const char* parts;
        bool data, meta;
    } const cases[] = {{" d", true, false},  {" m", false, true},    {" dm", true, true},
                       {" md", true, true},  {"", true, false},      {" x", true, false},
                       {"  m", false, true}, {"\tm x", false, true}, {" x d", true, false}};
    for (const auto& one : cases) {
        const auto wanted = decode_wanted(hash + one.parts);
        ASSERT_TRUE(wanted.has_value()) << one.parts;
        EXPECT_EQ(wanted->object_hash, hash);
        EXPECT_EQ(wanted->data, one.data) << one.parts;
        EXPECT_EQ(wanted->meta, one.meta) << one.parts;
    }
}

TEST(SsyncMissingCheck, RefusesALineThatIsNoHash) {
    for (const std::string& line :
         {std::string(":ERROR: 0 'x'"), std::string("461A6a9351174f3dc7e7ab432e03ca29 d"),
          hash.substr(1), hash + "0 d", std::string("\xff"), "../" + hash}) {
        const auto wanted = decode_wanted(line);
        ASSERT_TRUE(wanted.has_error()) << line;
        EXPECT_EQ(wanted.error().code, errc::protocol);
        EXPECT_TRUE(wanted.error().detail.starts_with("Unexpected response: "))
            << wanted.error().detail;
    }
}

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
