// Footer documents: what becomes of their values, and how much of them there may be.
#include "host/server/footers.hpp"

#include <gtest/gtest.h>

namespace fragmend::server {
namespace {

std::string names(std::size_t count) {
    std::string document = "{";
    for (std::size_t i = 0; i < count; ++i)
        document += (i == 0 ? "\"a" : ",\"a") + std::to_string(i) + "\":0";
    return document + "}";
}

TEST(Footers, ShowValuesAsPythonDoes) {
    const auto footers = parse_footers(
        R"({"X-Object-Meta-A": "b", "etag": "ABC", "n": 7, "m": -7, "big": 18446744073709551615,
            "yes": true, "no": false, "none": null, "X-Gone": "x", "x-gone": null})");
    ASSERT_TRUE(footers);
    EXPECT_EQ(footers->get("X-Object-Meta-A"), "b");
    EXPECT_EQ(footers->get("Etag"), "abc");
    EXPECT_EQ(footers->get("N"), "7");
    EXPECT_EQ(footers->get("M"), "-7");
    EXPECT_EQ(footers->get("Big"), "18446744073709551615");
    EXPECT_EQ(footers->get("Yes"), "True");
    EXPECT_EQ(footers->get("No"), "False");
    EXPECT_FALSE(footers->contains("None"));
    EXPECT_FALSE(footers->contains("X-Gone"));
}

// A proxy sends each byte of UTF-8 as a code point of its own.
TEST(Footers, AreWireBytes) {
    const auto footers = parse_footers(
        R"({"X-Object-Meta-A": "caf\u00c3\u00a9", "X-Object-Meta-\u00c3\u00a9": "b"})");
    ASSERT_TRUE(footers);
    EXPECT_EQ(footers->get("X-Object-Meta-A"), "caf\xc3\xa9");
    EXPECT_EQ(footers->get("X-Object-Meta-\xc3\xa9"), "b");
}

TEST(Footers, AreRefusedWhereNoProxySendsThem) {
    for (const auto* document : {"", "{", "[]", "7", R"({"a": "\u0100"})", R"({"\u0100": "a"})",
                                 R"({"a": 1.5})", R"({"a": []})", R"({"a": {}})"}) {
        const auto footers = parse_footers(document);
        ASSERT_FALSE(footers) << document;
        EXPECT_EQ(footers.error().status, 400);
    }
}

TEST(Footers, AreBounded) {
    EXPECT_TRUE(parse_footers(names(footer_names_max)));
    EXPECT_FALSE(parse_footers(names(footer_names_max + 1)));
    const std::string long_value(footer_bytes_max, 'a');
    EXPECT_FALSE(parse_footers(R"({"a": ")" + long_value + R"("})"));
}

}  // namespace
}  // namespace fragmend::server
