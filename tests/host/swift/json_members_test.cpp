// Taking JSON objects apart without touching what is inside.
#include "host/swift/json_members.hpp"

#include <gtest/gtest.h>

namespace fragmend::swift {
namespace {

TEST(JsonMembers, KeepsTheTextOfEveryValue) {
    const auto members = split_json_object(
        R"( {"b": [1, {"x": "}"}, []] , "a":1.50e+3,"c":{},"n":NaN, "i" : -Infinity,)"
        R"("s":"\ud83d\""} )");
    ASSERT_TRUE(members);
    EXPECT_EQ(members->at("b"), R"([1, {"x": "}"}, []])");
    EXPECT_EQ(members->at("a"), "1.50e+3");
    EXPECT_EQ(members->at("c"), "{}");
    EXPECT_EQ(members->at("s"), R"("\ud83d\"")");
    EXPECT_EQ(join_json_object(*members),
              R"({"a": 1.50e+3, "b": [1, {"x": "}"}, []], "c": {}, "i": -Infinity, "n": NaN, )"
              R"("s": "\ud83d\""})");
}

TEST(JsonMembers, LastOfEqualNamesCountsWhateverItsSpelling) {
    const auto members = split_json_object(R"({"d1": 1, "\u0064\u0031": 2})");
    ASSERT_TRUE(members);
    EXPECT_EQ(*members, (JsonMembers{{"d1", "2"}}));
}

TEST(JsonMembers, RefusesWhatPythonRefuses) {
    for (const char* text : {"",
                             "{",
                             "}",
                             "[]",
                             "1",
                             "{} {}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{,}",
                             "{a:1}",
                             "{\"a\":01}",
                             "{\"a\":1.}",
                             "{\"a\":.5}",
                             "{\"a\":+1}",
                             "{\"a\":-}",
                             "{\"a\":1e}",
                             "{\"a\":\"\n\"}",
                             "{\"a\":\"\\x\"}",
                             "{\"a\":\"\\u12g4\"}",
                             "{\"a\":\"}",
                             "{\"a\":[1}}",
                             "{\"a\":[1,]}",
                             "{\"a\":nul}",
                             "{\"a\":True}",
                             "{\"a\":\"\xff\"}",
                             "{\"a\":\"\\"}) {
        EXPECT_FALSE(split_json_object(text)) << text;
    }
}

TEST(JsonMembers, DepthIsBounded) {
    const auto nested = [](std::size_t depth) {
        return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    EXPECT_TRUE(split_json_object(nested(json_depth_max)));
    EXPECT_FALSE(split_json_object(nested(json_depth_max + 1)));
    EXPECT_FALSE(split_json_object(nested(3000000)));
}

TEST(JsonText, EscapesAsPythonDoes) {
    EXPECT_EQ(json_string("d1/\"\\\n\x7f\x01"), R"("d1/\"\\\n\u007f\u0001")");
    EXPECT_EQ(json_string("\xc3\xa9\xf0\x9f\x98\x80"), R"("\u00e9\ud83d\ude00")");
    EXPECT_EQ(json_string("a\xff\x62"), "\"ab\"");
}

TEST(JsonText, NumbersLookLikePythons) {
    EXPECT_EQ(json_number(1795333613.5451717), "1795333613.5451717");
    EXPECT_EQ(json_number(30), "30.0");
    EXPECT_EQ(json_number(0), "0.0");
    EXPECT_EQ(json_number(100000), "100000.0");
    EXPECT_EQ(json_number(0.0029461463292439777), "0.0029461463292439777");
    EXPECT_EQ(json_number(0.00001), "1e-05");
    EXPECT_EQ(json_number(1e16), "1e+16");
}

}  // namespace
}  // namespace fragmend::swift
