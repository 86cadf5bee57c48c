// Who comes first to a target, partition by partition.
#include "host/scan/turns.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "host/scan/jobs.hpp"

namespace fragmend::scan {
namespace {

/// The primaries that have `target` for a partner, each once.
std::set<std::size_t> senders_to(std::size_t target, std::size_t primaries) {
    std::set<std::size_t> senders;
    const std::vector<Node> nodes(primaries);
    for (std::size_t own = 0; own < primaries; ++own) {
        for (const Partner& partner : partners_of(own, nodes)) {
            if (partner.primary_index == target) senders.insert(own);
        }
    }
    return senders;
}

TEST(Turns, EverySenderHasARoundOfItsOwnForEachPartition) {
    for (std::size_t primaries = 1; primaries <= 24; ++primaries) {
        for (std::size_t target = 0; target < primaries; ++target) {
            const auto senders = senders_to(target, primaries);
            ASSERT_LE(senders.size(), rounds_max);
            for (std::uint32_t partition = 0; partition < 12; ++partition) {
                std::set<std::size_t> rounds;
                for (const std::size_t own : senders)
                    rounds.insert(round_of(partition, own, target, primaries));
                ASSERT_EQ(rounds.size(), senders.size()) << primaries << " " << target;
                // None is skipped: somebody begins, and the rounds have no gap.
                EXPECT_EQ(*rounds.rbegin(), senders.size() - 1);
            }
        }
    }
}

TEST(Turns, EverySenderComesFirstEquallyOften) {
    for (const std::size_t primaries : {2u, 3u, 4u, 6u, 9u, 14u}) {
        for (std::size_t target = 0; target < primaries; ++target) {
            std::map<std::size_t, int> first;
            for (std::uint32_t partition = 0; partition < 60; ++partition) {
                for (const std::size_t own : senders_to(target, primaries))
                    first[own] += round_of(partition, own, target, primaries) == 0;
            }
            const int share = 60 / static_cast<int>(senders_to(target, primaries).size());
            for (const auto& [own, count] : first)
                EXPECT_EQ(count, share) << own << " of " << primaries;
        }
    }
}

TEST(Turns, WhoIsNoPartnerNeedNotWait) {
    EXPECT_EQ(round_of(1, 4, 0, 9), 0u);
    EXPECT_EQ(round_of(2, 0, 0, 9), 0u);
}

}  // namespace
}  // namespace fragmend::scan
