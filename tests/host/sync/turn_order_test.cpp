// Who comes first in a pass.
#include "host/sync/turn_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

namespace fragmend::sync {
namespace {

std::vector<WaitingTurn> turns_of(std::size_t count, std::size_t devices) {
    static constexpr std::array names = {"sda", "sdb", "sdc", "sdd", "sde"};
    std::vector<WaitingTurn> turns;
    for (std::size_t i = 0; i < count; ++i)
        turns.push_back({names.at(i % devices), 0});
    return turns;
}

TEST(TurnOrder, TakesEveryTurnOnce) {
    std::mt19937_64 random(1);
    EXPECT_TRUE(turn_order({}, random).empty());
    auto turns = turns_of(1001, 3);
    turns[7].lost = 2;
    const auto order = turn_order(turns, random);
    EXPECT_EQ(order.size(), turns.size());
    EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), turns.size());
}

TEST(TurnOrder, TheMostLostPrimariesComeFirst) {
    std::mt19937_64 random(2);
    auto turns = turns_of(300, 5);
    for (std::size_t i = 0; i < turns.size(); ++i)
        turns[i].lost = i % 7 == 0 ? 2 : i % 3 == 0 ? 1 : 0;
    const auto order = turn_order(turns, random);
    EXPECT_TRUE(std::ranges::is_sorted(order, std::ranges::greater(),
                                       [&](std::size_t position) { return turns[position].lost; }));
}

TEST(TurnOrder, EqualsComeAtRandomInGroupsOfOneDevice) {
    std::mt19937_64 random(3);
    const auto turns = turns_of(4 * 100, 4);
    const auto order = turn_order(turns, random);
    EXPECT_FALSE(std::ranges::is_sorted(order));
    EXPECT_NE(order, turn_order(turns, random));
    std::size_t changes = 0;
    for (std::size_t i = 1; i < order.size(); ++i)
        changes += turns[order[i]].local_device != turns[order[i - 1]].local_device;
    // Fifty groups, or a few more for what is left of each device.
    EXPECT_LE(changes, 4 * (100 / looked_at_together + 1));
    EXPECT_GE(changes, 15u);
}

}  // namespace
}  // namespace fragmend::sync
