// Swift's timestamps: text forms, order, refusals.
#include "host/base/timestamp.hpp"

#include <gtest/gtest.h>

namespace fragmend {
namespace {

TEST(Timestamp, RoundTripsItsInternalForm) {
    for (const char* text :
         {"1795333043.19771", "0000000001.00000", "1795333043.19771_00000000000000ff"}) {
        const auto parsed = Timestamp::parse(text);
        ASSERT_TRUE(parsed.has_value()) << text;
        EXPECT_EQ(parsed->internal(), text);
    }
}

TEST(Timestamp, ReadsShortFractionsAndFloats) {
    EXPECT_EQ(Timestamp::parse("1")->internal(), "0000000001.00000");
    EXPECT_EQ(Timestamp::parse("1.5")->internal(), "0000000001.50000");
    EXPECT_EQ(Timestamp::parse("1795333043.1977149")->internal(), "1795333043.19771");
    EXPECT_EQ(Timestamp::parse("1e3")->internal(), "0000001000.00000");
    EXPECT_EQ(Timestamp::parse("1795333043.037155")->internal(), "1795333043.03715");
    EXPECT_EQ(Timestamp::parse("1795333043.349085")->internal(), "1795333043.34909");
    EXPECT_TRUE(Timestamp::parse("9999999999.999999").has_error());
}

TEST(Timestamp, ShortFormDoesNotPadTheOffset) {
    EXPECT_EQ(Timestamp::parse("1.00000_00000000000000ff")->short_form(), "0000000001.00000_ff");
}

TEST(Timestamp, OrdersOffsetsAfterTheSameTime) {
    EXPECT_LT(Timestamp::parse("1.00000").value(), Timestamp::parse("1.00000_1").value());
    EXPECT_LT(Timestamp::parse("1.00000_1").value(), Timestamp::parse("1.00001").value());
}

TEST(Timestamp, RefusesWhatSwiftRefuses) {
    for (const char* text :
         {"", "_1", "1_", "1_2_3", "-1", "nan", "inf", "1x", "10000000000", "1_g"}) {
        EXPECT_TRUE(Timestamp::parse(text).has_error()) << text;
    }
}

}  // namespace
}  // namespace fragmend
