// Lines of the missing check against the bytes that Swift's sender writes.
#include "transport/ssync/missing_check.hpp"

#include <gtest/gtest.h>

#include "tests/golden/transport/swift_bytes.hpp"

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
        EXPECT_EQ(wanted->object_hash.hex(), hash);
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

}  // namespace
}  // namespace fragmend::transport::ssync
