// Devices dealt out to workers.
#include "host/app/worker_plan.hpp"

#include <gtest/gtest.h>

namespace fragmend::app {
namespace {

using Names = std::vector<std::string>;

TEST(WorkerPlan, DevicesGoRound) {
    const auto shares = deal_out(2, {"a", "b", "c", "d", "e"}, {}, {7});
    ASSERT_EQ(shares.size(), 2u);
    EXPECT_EQ(shares[0].devices, (Names{"a", "c", "e"}));
    EXPECT_EQ(shares[1].devices, (Names{"b", "d"}));
    EXPECT_EQ(shares[1].partitions, (std::vector<std::uint64_t>{7}));
    EXPECT_EQ(shares[1].worker_index, 1);
    EXPECT_EQ(shares[1].log_prefix(99), "[worker 2/2 pid=99] ");
}

TEST(WorkerPlan, NoMoreWorkersThanDevices) {
    const auto shares = deal_out(8, {"a", "b"}, {}, {});
    ASSERT_EQ(shares.size(), 2u);
    EXPECT_EQ(shares[0].worker_count, 2);
}

TEST(WorkerPlan, OverridesCountWhereTheyAreLocal) {
    const auto shares = deal_out(8, {"a", "b", "c"}, {"c", "x", "a"}, {});
    ASSERT_EQ(shares.size(), 2u);
    EXPECT_EQ(shares[0].devices, (Names{"a"}));
    EXPECT_EQ(shares[1].devices, (Names{"c"}));
}

TEST(WorkerPlan, OneIdleWorkerWithoutDevices) {
    // With an override that is not local it must not take care of everything else.
    const auto shares = deal_out(4, {"a"}, {"x"}, {});
    ASSERT_EQ(shares.size(), 1u);
    EXPECT_EQ(shares[0].devices, (Names{"x"}));
    EXPECT_TRUE(deal_out(4, {}, {}, {})[0].devices.empty());
    EXPECT_TRUE(deal_out(4, {}, {}, {})[0].is_worker());
}

TEST(WorkerPlan, SingleProcessHasNoPrefix) {
    EXPECT_EQ(Share{}.log_prefix(5), "");
    EXPECT_FALSE(Share{}.is_worker());
}

}  // namespace
}  // namespace fragmend::app
