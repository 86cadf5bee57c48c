// From suffix hashes to jobs.
#include "host/scan/jobs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/scan/suffix_delta.hpp"
#include "host/scan/turns.hpp"
#include "tests/host/swift/ring_builder.hpp"

namespace fragmend::scan {
namespace {

using swift::PartitionHashes;
using Suffixes = std::vector<swift::SuffixName>;

const std::string digest_1(32, '1');
const std::string digest_2(32, '2');
const std::string digest_d(32, 'd');
const std::string digest_e(32, 'e');
const std::string& hash = digest_1;

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
    PartitionJobs plan(std::uint32_t device, const PartitionHashes& hashes) {
        const Partition partition{1, *ring_->devices()[device], 0, "0", "/srv/node/d/objects-1/0"};
        return build_jobs(partition, hashes, *ring_, policy_, random_);
    }

    swift::Policy policy_;
    swift::RingPtr ring_;
    std::mt19937_64 random_{1};
};

std::vector<std::uint32_t> ids_of(const auto& peers) {
    std::vector<std::uint32_t> ids;
    for (const Partner& peer : peers)
        ids.push_back(peer.node.id);
    return ids;
}

TEST_F(Jobs, PrimaryAlwaysHasASyncJobToLeftRightAndFar) {
    const PartitionJobs nothing = plan(0, {});
    ASSERT_TRUE(nothing.sync.has_value());
    EXPECT_TRUE(nothing.reverts.empty());
    const SyncJob& job = *nothing.sync;
    EXPECT_EQ(job.fragment_index, 0);
    EXPECT_TRUE(job.suffixes.empty());
    EXPECT_EQ(ids_of(job.partners), (std::vector<std::uint32_t>{2, 1, 1}));
    EXPECT_EQ(job.partners[0].primary_index, 2u);
    EXPECT_FALSE(nothing.is_removable);
}

TEST_F(Jobs, EveryPartnerHasItsRound) {
    policy_.k = 4;
    policy_.m = 2;
    ring_ = swift::test::make_ring({{0}, {1}, {2}, {3}, {4}, {5}}, 6);
    const PartitionJobs found = plan(2, {});
    ASSERT_TRUE(found.sync.has_value());
    for (const Partner& partner : found.sync->partners)
        EXPECT_EQ(partner.round, round_of(0, 2, 6));
    EXPECT_EQ(found.sync->partners[2].round, 1u);
}

TEST_F(Jobs, MisplacedFragmentsRevertFromTheSmallestToTheLargest) {
    const PartitionJobs found = plan(
        0,
        {{"aaa", {{0, hash}, {1, hash}}}, {"bbb", {{1, hash}, {2, hash}}}, {"ccc", {{{}, hash}}}});
    ASSERT_TRUE(found.sync.has_value());
    ASSERT_EQ(found.reverts.size(), 2u);
    const SyncJob& sync = *found.sync;
    EXPECT_EQ(sync.suffixes, (Suffixes{"aaa", "ccc"}));
    EXPECT_EQ(sync.hashes.size(), 3u);
    const RevertJob& small = found.reverts[0];
    EXPECT_EQ(small.fragment_index, 2);
    EXPECT_EQ(small.suffixes, Suffixes{"bbb"});
    EXPECT_EQ(ids_of(small.targets), std::vector<std::uint32_t>{2});
    EXPECT_EQ(small.primary_fragment_index, 0);
    const RevertJob& large = found.reverts[1];
    EXPECT_EQ(large.fragment_index, 1);
    EXPECT_EQ(large.suffixes, (Suffixes{"aaa", "bbb"}));
}

TEST_F(Jobs, TombstonesRideOnTheSmallestRevert) {
    const PartitionJobs found =
        plan(3, {{"aaa", {{0, hash}}}, {"bbb", {{0, hash}, {2, hash}}}, {"ccc", {{{}, hash}}}});
    ASSERT_FALSE(found.sync.has_value());
    ASSERT_EQ(found.reverts.size(), 2u);
    const RevertJob& first = found.reverts[0];
    EXPECT_EQ(first.fragment_index, 2);
    EXPECT_EQ(first.suffixes, (Suffixes{"bbb", "ccc"}));
    EXPECT_FALSE(first.primary_fragment_index.has_value());
}

TEST_F(Jobs, LoneTombstonesGoToASample) {
    const PartitionJobs found = plan(3, {{"ccc", {{{}, hash}}}});
    ASSERT_FALSE(found.sync.has_value());
    ASSERT_EQ(found.reverts.size(), 1u);
    const RevertJob& job = found.reverts[0];
    EXPECT_FALSE(job.fragment_index.has_value());
    EXPECT_EQ(job.targets.size(), 2u);
    EXPECT_NE(job.targets[0].node.id, job.targets[1].node.id);
}

TEST_F(Jobs, DuplicatedFragmentsRevertToEveryHolder) {
    policy_.duplication_factor = 2;
    ring_ = swift::test::make_ring({{0}, {1}, {2}, {3}, {4}, {5}}, 7);
    const PartitionJobs found = plan(6, {{"aaa", {{1, hash}}}});
    ASSERT_FALSE(found.sync.has_value());
    ASSERT_EQ(found.reverts.size(), 1u);
    const RevertJob& job = found.reverts[0];
    EXPECT_EQ(ids_of(job.targets), (std::vector<std::uint32_t>{1, 4}));
    EXPECT_EQ(job.targets[1].primary_index, 4u);
}

TEST_F(Jobs, UnknownIndexesGetNoJobAndKeepTheirPartition) {
    for (const int index : {-1, 3, 100}) {
        const PartitionJobs found = plan(3, {{"aaa", {{index, hash}}}});
        EXPECT_TRUE(found.empty());
        EXPECT_EQ(found.warnings,
                  std::vector<std::string>{"Bad fragment index " + std::to_string(index) +
                                           " for suffixes ['aaa'] under /srv/node/d/objects-1/0"});
        EXPECT_FALSE(found.is_removable);
    }
}

TEST_F(Jobs, DuplicatesMakeNoFurtherIndexes) {
    policy_.duplication_factor = 2;
    ring_ = swift::test::make_ring({{0}, {1}, {2}, {3}, {4}, {5}}, 7);
    const PartitionJobs found = plan(6, {{"aaa", {{4, hash}}}});
    EXPECT_TRUE(found.empty());
    EXPECT_EQ(found.warnings.size(), 1u);
}

TEST_F(Jobs, OnlyAnEmptyHandoffPartitionIsRemovable) {
    EXPECT_TRUE(plan(3, {}).is_removable);
    EXPECT_FALSE(plan(3, {{"aaa", {}}}).is_removable);
    EXPECT_TRUE(plan(3, {{"aaa", {}}}).empty());
    EXPECT_FALSE(plan(3, {{"aaa", {{0, hash}}}}).is_removable);
}

TEST(SuffixDelta, ComparesOwnIndexHereWithTheirsThere) {
    const PartitionHashes local = {{"aaa", {{{}, digest_d}, {0, digest_1}}},
                                   {"bbb", {{{}, digest_d}, {0, digest_1}}},
                                   {"ccc", {{{}, digest_d}}},
                                   {"ddd", {}},
                                   {"eee", {{0, digest_1}}}};
    const PartitionHashes remote = {{"aaa", {{{}, digest_d}, {1, digest_1}}},
                                    {"bbb", {{{}, digest_e}, {1, digest_1}}},
                                    {"ccc", {{{}, digest_d}, {0, digest_2}}},
                                    {"fff", {{1, digest_1}}}};
    EXPECT_EQ(suffix_delta({local, 0}, {remote, 1}), (Suffixes{"bbb", "eee"}));
    EXPECT_EQ(suffix_delta({local, 0}, {}), (Suffixes{"aaa", "bbb", "ccc", "eee"}));
    EXPECT_TRUE(suffix_delta({}, {remote, 1}).empty());
}

}  // namespace
}  // namespace fragmend::scan
