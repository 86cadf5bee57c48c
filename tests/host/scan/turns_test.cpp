// Who comes first to a target, partition by partition.
#include "host/scan/turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(Turns, SendersOfATargetHaveDifferentRounds) {
    for (std::size_t primaries = 1; primaries <= 40; ++primaries) {
        for (std::uint32_t partition = 0; partition < 30; ++partition) {
            for (std::size_t target = 0; target < primaries; ++target) {
                const auto senders = senders_to(target, primaries);
                std::set<std::size_t> rounds;
                for (const std::size_t own : senders)
                    rounds.insert(round_of(partition, own, primaries));
                ASSERT_EQ(rounds.size(), senders.size()) << primaries << " " << target;
                EXPECT_LT(*rounds.rbegin(), rounds_max);
            }
        }
    }
}

TEST(Turns, ThreeRoundsServeSixPrimaries) {
    EXPECT_EQ(colours_of(6), (std::vector<std::size_t>{0, 0, 1, 1, 2, 2}));
}

TEST(Turns, EverySenderComesFirstEquallyOften) {
    for (const std::size_t primaries : {2u, 3u, 4u, 6u, 9u, 14u}) {
        std::uint32_t permutations = 1;
        for (std::uint32_t i = 2; i <= std::ranges::max(colours_of(primaries)) + 1; ++i)
            permutations *= i;
        for (std::size_t target = 0; target < primaries; ++target) {
            const auto senders = senders_to(target, primaries);
            std::map<std::size_t, std::uint32_t> first;
            for (std::uint32_t partition = 0; partition < 6 * permutations; ++partition) {
                ++first[*std::ranges::min_element(senders, {}, [&](std::size_t own) {
                    return round_of(partition, own, primaries);
                })];
            }
            EXPECT_EQ(first.size(), senders.size());
            for (const auto& [own, count] : first)
                EXPECT_EQ(count * senders.size(), 6 * permutations) << own << " of " << primaries;
        }
    }
}

}  // namespace
}  // namespace fragmend::scan
