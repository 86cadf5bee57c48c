// Which suffixes a node is asked to distrust, and when a disk is simply gone.
#include "host/sync/holes.hpp"

#include <gtest/gtest.h>

namespace fragmend::sync {
namespace {

Node node(std::uint32_t id) {
    Node made;
    made.id = id;
    return made;
}

std::string hash_in(std::string_view suffix) {
    return std::string(29, '0') + std::string(suffix);
}

TEST(Holes, AsksNobodyWhenNothingWasMissing) {
    EXPECT_TRUE(Holes().asks().empty());
}

TEST(Holes, NamesEachSuffixOfANodeOnce) {
    Holes holes;
    holes.add(node(4), hash_in("def"));
    holes.add(node(4), hash_in("abc"));
    holes.add(node(2), hash_in("def"));
    holes.add(node(4), hash_in("def"));
    const auto asks = holes.asks();
    ASSERT_EQ(asks.size(), 2u);
    EXPECT_EQ(asks[0].node.id, 2u);
    EXPECT_EQ(asks[0].suffixes, "def");
    EXPECT_EQ(asks[1].node.id, 4u);
    EXPECT_EQ(asks[1].suffixes, "abc-def");
}

TEST(Holes, LeavesAWipedDiskToItsHashes) {
    Holes holes;
    for (std::size_t i = 0; i < Holes::suffixes_max; ++i)
        holes.add(node(1), hash_in(std::to_string(100 + i)));
    EXPECT_EQ(holes.asks().size(), 1u);
    holes.add(node(1), hash_in("fff"));
    EXPECT_TRUE(holes.asks().empty());
}

}  // namespace
}  // namespace fragmend::sync
