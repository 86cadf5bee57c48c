// Object hashes from hex and back.
#include "host/base/object_hash.hpp"

#include <gtest/gtest.h>

namespace fragmend {
namespace {

TEST(ObjectHash, IsExactlyThirtyTwoLowerCaseHexDigits) {
    const std::string text = "00ff0123456789abcdeffedcba987654";
    const auto hash = ObjectHash::parse(text);
    ASSERT_TRUE(hash.has_value());
    EXPECT_EQ(hash->hex(), text);
    EXPECT_EQ(hash->first_half(), 0x00ff0123456789abu);
    EXPECT_EQ(*hash, *ObjectHash::parse(text));
    EXPECT_LT(*hash, *ObjectHash::parse("00ff0123456789abcdeffedcba987655"));
    for (const std::string& wrong :
         {std::string(), text + "0", text.substr(1), "0x" + text.substr(2), "A" + text.substr(1),
          " " + text.substr(1)}) {
        EXPECT_FALSE(ObjectHash::parse(wrong).has_value()) << wrong;
    }
}

}  // namespace
}  // namespace fragmend
