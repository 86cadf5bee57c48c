// Hex, digits and percent-quoting.
#include "host/base/bytes.hpp"

#include <gtest/gtest.h>

#include "host/base/md5.hpp"

namespace fragmend {
namespace {

TEST(Bytes, QuotesLikePythonsUrllib) {
    EXPECT_EQ(percent_quote("/a/c/obj\xc3\xa9 1%"), "/a/c/obj%C3%A9%201%25");
    EXPECT_EQ(percent_unquote("/a/c/obj%C3%A9%201%25"), "/a/c/obj\xc3\xa9 1%");
    EXPECT_EQ(percent_unquote("100%"), "100%");
    EXPECT_EQ(percent_unquote("%zz%4"), "%zz%4");
}

TEST(Bytes, OnlyDigitsAreNumbers) {
    EXPECT_EQ(parse_digits("18446744073709551615"), 18446744073709551615ull);
    for (const char* text : {"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616"}) {
        EXPECT_FALSE(parse_digits(text).has_value()) << text;
    }
}

TEST(Bytes, LowerHexIsSixteenCharactersWhereverTheyStand) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const std::size_t length :
         {std::size_t{3}, std::size_t{8}, std::size_t{13}, std::size_t{32}}) {
        const std::string good = std::string("0f9a5b3c7d1e8246f0a9b5c3d7e18264").substr(0, length);
        EXPECT_TRUE(is_lower_hex(good, length));
        EXPECT_FALSE(is_lower_hex(good, length + 1));
        for (std::size_t at = 0; at < length; ++at) {
            for (int value = 0; value < 256; ++value) {
                std::string text = good;
                text[at] = static_cast<char>(value);
                EXPECT_EQ(is_lower_hex(text, length), digits.find(text[at]) != digits.npos)
                    << value << " at " << at << " of " << length;
            }
        }
    }
    EXPECT_TRUE(is_lower_hex("", 0));
}

TEST(Bytes, Md5OfKnownText) {
    EXPECT_EQ(md5_hex("1795333043.19771"), "5ef30d63707a5501cad24510b5182e96");
}

}  // namespace
}  // namespace fragmend
