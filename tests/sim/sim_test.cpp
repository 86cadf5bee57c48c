// Thousands of small worlds, each out of one seed; a seed that fails replays alone.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <optional>

#include "tests/sim/world.hpp"

namespace fragmend::sim {
namespace {

constexpr std::uint64_t seeds_of_a_run = 10'000;
constexpr std::uint64_t first_seed = 1;
/// A long campaign says how far it is.
constexpr std::uint64_t report_every = 50'000;

std::optional<std::uint64_t> number(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    return std::strtoull(text, nullptr, 10);
}

/// FRAGMEND_SEED alone is one world, with its log; FRAGMEND_SEEDS says how many others.
TEST(Simulation, HoldsItsInvariantsInEveryWorld) {
    const auto alone = number("FRAGMEND_SEED");
    const std::uint64_t first = alone.value_or(first_seed);
    const std::uint64_t count = number("FRAGMEND_SEEDS").value_or(alone ? 1 : seeds_of_a_run);
    Tally total;
    std::uint64_t failed = 0;
    const std::clock_t began = std::clock();
    for (std::uint64_t seed = first; seed < first + count && failed < 10; ++seed) {
        World world(seed);
        if (count == 1) world.keep_log();
        const auto violations = world.run();
        total.add(world.tally());
        if (total.worlds % report_every == 0) std::cout << total.text() << std::endl;
        if (count == 1) std::cout << world.log_text();
        if (violations.empty()) continue;
        ++failed;
        ADD_FAILURE() << violations.front();
    }
    const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
    std::cout << total.text() << "CPU seconds       " << seconds << "\n";
    if (count < 1000) return;
    // The weather was bad enough to mean something.
    EXPECT_GT(total.commits, count);
    EXPECT_GT(total.faults, count);
    EXPECT_GT(total.sessions_failed, count / 20);
    EXPECT_GT(total.culprits, count / 20);
    EXPECT_GT(total.compute_faults, count / 100);
    EXPECT_GT(total.rounds_replayed, count / 100);
    EXPECT_GT(total.shared, count / 20);
    EXPECT_GT(total.cancelled_passes, count / 20);
    EXPECT_GT(total.cancelled_objects, count / 10);
    EXPECT_GT(total.kills, count / 30);
    EXPECT_GT(total.ordered, count / 20);
    EXPECT_GT(total.quarantined, count / 100);
    EXPECT_GT(total.throttled_ms, count * 100);
    EXPECT_GT(total.windows, count * 5);
    EXPECT_GT(total.limited, count / 2000);
    EXPECT_GT(total.reverted, count / 4);
    EXPECT_GT(total.reverts_failed, count / 20);
    EXPECT_GT(total.purged, count / 4);
}

std::uint64_t trace_of(std::uint64_t seed) {
    World world(seed);
    world.run();
    return world.trace();
}

TEST(Simulation, GivesTheSameWorldForTheSameSeed) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed)
        EXPECT_EQ(trace_of(seed), trace_of(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace fragmend::sim
