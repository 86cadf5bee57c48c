// Who is served first.
#include "scheduler/risk_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace fragmend::scheduler {
namespace {

using Order = std::vector<std::size_t>;

TEST(RiskOrder, FewestSparesThenOldestThenAsTheyCame) {
    const std::vector<AtRisk> objects = {{0, {50, 0}}, {2, {90, 0}}, {0, {10, 0}},
                                         {2, {20, 1}}, {2, {20, 0}}, {0, {50, 0}}};
    EXPECT_EQ(risk_order(objects), (Order{4, 3, 1, 2, 0, 5}));
    EXPECT_EQ(risk_order({}), Order());
}

TEST(RiskOrder, ServesEveryObjectOnce) {
    std::mt19937_64 random(7);
    for (int turn = 0; turn < 100; ++turn) {
        std::vector<AtRisk> objects(random() % 50);
        for (AtRisk& one : objects)
            one = {random() % 3, {static_cast<std::int64_t>(random() % 5), 0}};
        Order order = risk_order(objects);
        for (std::size_t i = 1; i < order.size(); ++i)
            EXPECT_GE(objects[order[i - 1]].missing, objects[order[i]].missing);
        std::ranges::sort(order);
        for (std::size_t i = 0; i < order.size(); ++i)
            EXPECT_EQ(order[i], i);
        EXPECT_EQ(order.size(), objects.size());
    }
}

}  // namespace
}  // namespace fragmend::scheduler
