// What is kept of a partition's hashes.
#include "host/scan/hash_pairs.hpp"

#include <gtest/gtest.h>

#include <string>

#include "host/base/bytes.hpp"
#include "host/swift/suffix_name.hpp"

namespace fragmend::scan {
namespace {

const std::string one_digest = "0123456789abcdef0123456789abcdef";
const std::string other_digest(32, 'b');

TEST(HashPairs, KeepTheOwnIndexAndNone) {
    const HashPairs pairs(
        {{"00f", {{std::nullopt, one_digest}, {2, other_digest}, {3, one_digest}}},
         {"abc", {{3, other_digest}}},
         {"abd", {}},
         {"fff", {{2, other_digest}}}},
        2);
    EXPECT_EQ(pairs.size(), 4u);
    EXPECT_EQ(pairs.counting(), 2u);
    const auto* first = pairs.find(0x00f);
    ASSERT_NE(first, nullptr);
    EXPECT_TRUE(first->has_none && first->has_own);
    EXPECT_EQ(to_hex(first->none), one_digest);
    EXPECT_EQ(to_hex(first->own), other_digest);
    const auto* second = pairs.find(0xabc);
    ASSERT_NE(second, nullptr);
    EXPECT_FALSE(second->counts());
    const auto* last = pairs.find(0xfff);
    ASSERT_NE(last, nullptr);
    EXPECT_TRUE(last->has_own && !last->has_none);
    EXPECT_EQ(pairs.find(0x00e), nullptr);
    EXPECT_EQ(pairs.find(0xabe), nullptr);
}

TEST(HashPairs, FindsEachSuffixOfAFullPartition) {
    swift::PartitionHashes hashes;
    for (std::size_t i = 0; i < swift::suffixes_max; ++i) {
        std::string digest(32, '0');
        digest.replace(0, 3, std::string_view(swift::SuffixName::of(i)));
        hashes.emplace(std::string(swift::SuffixName::of(i)), swift::SuffixHash{{0, digest}});
    }
    const HashPairs pairs(hashes, 0);
    EXPECT_EQ(pairs.counting(), swift::suffixes_max);
    for (std::size_t i = 0; i < swift::suffixes_max; ++i) {
        ASSERT_NE(pairs.find(i), nullptr);
        ASSERT_EQ(swift::suffix_number(to_hex(pairs.find(i)->own).substr(0, 3)), i);
    }
    // What it is for: 34 bytes a suffix.
    EXPECT_EQ(sizeof(HashPairs::Pair), 34u);
}

}  // namespace
}  // namespace fragmend::scan
