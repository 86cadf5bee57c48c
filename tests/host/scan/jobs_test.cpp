// From suffix hashes to jobs.
#include "host/scan/jobs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/host/swift/ring_builder.hpp"

namespace fragmend::scan {
namespace {

using swift::PartitionHashes;
using Suffixes = std::vector<std::string>;

// 2+1 on devices 0, 1, 2 of four; partition 1 is on 1, 2, 3.
class Jobs : public testing::Test {
  protected:
    Jobs() {
        policy_.index = 1;
        policy_.type = swift::PolicyType::erasure_coding;
        policy_.k = 2;
        policy_.m = 1;
        ring_ = swift::test::make_ring({{0, 1}, {1, 2}, {2, 3}}, 4);
    }
    JobPlan plan(std::uint32_t device, const PartitionHashes& hashes) {
        const Partition partition{1, 0, "/srv/node/d/objects-1/0", *ring_->devices()[device]};
        return build_jobs(partition, policy_, *ring_, hashes, random_);
    }

    swift::Policy policy_;
    swift::RingPtr ring_;
    std::mt19937_64 random_{1};
};

std::vector<std::uint32_t> ids_of(const auto& peers) {
    std::vector<std::uint32_t> ids;
    for (const Peer& peer : peers)
        ids.push_back(peer.node.id);
    return ids;
}

TEST_F(Jobs, PrimaryAlwaysHasASyncJobToLeftRightAndFar) {
    const JobPlan nothing = plan(0, {});
    ASSERT_EQ(nothing.jobs.size(), 1u);
    const auto& job = std::get<SyncJob>(nothing.jobs[0]);
    EXPECT_EQ(job.fragment_index, 0);
    EXPECT_TRUE(job.suffixes.empty());
    EXPECT_EQ(ids_of(job.partners), (std::vector<std::uint32_t>{2, 1, 1}));
    EXPECT_EQ(job.partners[0].primary_index, 2u);
    EXPECT_FALSE(nothing.is_removable);
}

TEST_F(Jobs, MisplacedFragmentsRevertFromTheSmallestToTheLargest) {
    const JobPlan found = plan(
        0, {{"aaa", {{0, "h"}, {1, "h"}}}, {"bbb", {{1, "h"}, {2, "h"}}}, {"ccc", {{{}, "h"}}}});
    ASSERT_EQ(found.jobs.size(), 3u);
    const auto& sync = std::get<SyncJob>(found.jobs[0]);
    EXPECT_EQ(sync.suffixes, (Suffixes{"aaa", "ccc"}));
    EXPECT_EQ(sync.hashes.size(), 3u);
    const auto& small = std::get<RevertJob>(found.jobs[1]);
    EXPECT_EQ(small.fragment_index, 2);
    EXPECT_EQ(small.suffixes, Suffixes{"bbb"});
    EXPECT_EQ(ids_of(small.targets), std::vector<std::uint32_t>{2});
    EXPECT_EQ(small.primary_fragment_index, 0);
    const auto& large = std::get<RevertJob>(found.jobs[2]);
    EXPECT_EQ(large.fragment_index, 1);
    EXPECT_EQ(large.suffixes, (Suffixes{"aaa", "bbb"}));
}

TEST_F(Jobs, TombstonesRideOnTheSmallestRevert) {
    const JobPlan found =
        plan(3, {{"aaa", {{0, "h"}}}, {"bbb", {{0, "h"}, {2, "h"}}}, {"ccc", {{{}, "h"}}}});
    ASSERT_EQ(found.jobs.size(), 2u);
    const auto& first = std::get<RevertJob>(found.jobs[0]);
    EXPECT_EQ(first.fragment_index, 2);
    EXPECT_EQ(first.suffixes, (Suffixes{"bbb", "ccc"}));
    EXPECT_FALSE(first.primary_fragment_index.has_value());
}

TEST_F(Jobs, LoneTombstonesGoToASample) {
    const JobPlan found = plan(3, {{"ccc", {{{}, "h"}}}});
    ASSERT_EQ(found.jobs.size(), 1u);
    const auto& job = std::get<RevertJob>(found.jobs[0]);
    EXPECT_FALSE(job.fragment_index.has_value());
    EXPECT_EQ(job.targets.size(), 2u);
    EXPECT_NE(job.targets[0].node.id, job.targets[1].node.id);
}

TEST_F(Jobs, DuplicatedFragmentsRevertToEveryHolder) {
    policy_.duplication_factor = 2;
    ring_ = swift::test::make_ring({{0}, {1}, {2}, {3}, {4}, {5}}, 7);
    const JobPlan found = plan(6, {{"aaa", {{1, "h"}}}});
    ASSERT_EQ(found.jobs.size(), 1u);
    const auto& job = std::get<RevertJob>(found.jobs[0]);
    EXPECT_EQ(ids_of(job.targets), (std::vector<std::uint32_t>{1, 4}));
    EXPECT_EQ(job.targets[1].primary_index, 4u);
}

TEST_F(Jobs, UnknownIndexesGetNoJobAndKeepTheirPartition) {
    for (const int index : {-1, 3, 100}) {
        const JobPlan found = plan(3, {{"aaa", {{index, "h"}}}});
        EXPECT_TRUE(found.jobs.empty());
        ASSERT_EQ(found.bad_fragment_indexes.size(), 1u);
        EXPECT_EQ(found.bad_fragment_indexes[0].fragment_index, index);
        EXPECT_EQ(found.bad_fragment_indexes[0].suffixes, Suffixes{"aaa"});
        EXPECT_FALSE(found.is_removable);
    }
}

TEST_F(Jobs, OnlyAnEmptyHandoffPartitionIsRemovable) {
    EXPECT_TRUE(plan(3, {}).is_removable);
    EXPECT_FALSE(plan(3, {{"aaa", {}}}).is_removable);
    EXPECT_TRUE(plan(3, {{"aaa", {}}}).jobs.empty());
    EXPECT_FALSE(plan(3, {{"aaa", {{0, "h"}}}}).is_removable);
}

TEST(SuffixDelta, ComparesOwnIndexHereWithTheirsThere) {
    const PartitionHashes local = {{"aaa", {{{}, "d"}, {0, "x"}}},
                                   {"bbb", {{{}, "d"}, {0, "x"}}},
                                   {"ccc", {{{}, "d"}}},
                                   {"ddd", {}},
                                   {"eee", {{0, "x"}}}};
    const PartitionHashes remote = {{"aaa", {{{}, "d"}, {1, "x"}}},
                                    {"bbb", {{{}, "e"}, {1, "x"}}},
                                    {"ccc", {{{}, "d"}, {0, "y"}}},
                                    {"fff", {{1, "x"}}}};
    EXPECT_EQ(suffix_delta(local, 0, remote, 1), (Suffixes{"bbb", "eee"}));
    EXPECT_EQ(suffix_delta(local, 0, {}, 1), (Suffixes{"aaa", "bbb", "ccc", "eee"}));
    EXPECT_TRUE(suffix_delta({}, 0, remote, 1).empty());
}

}  // namespace
}  // namespace fragmend::scan
