// Every planted fault changes what the simulation sees: each is caught, or this test fails.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "tests/sim/mutants/mutant.hpp"
#include "tests/sim/world.hpp"

namespace fragmend::sim {

namespace {

int active = 0;

struct Mutant {
    int number;
    const char* name;
    bool is_stale;  ///< The source has changed; the fault is in none of it.
};
constexpr Mutant mutants[] = {
#include "mutant_list.inc"
};

/// Before a child is given up: faults that make the program go round in circles are caught, too.
constexpr rlim_t child_cpu_seconds_max = 60;

/// Worlds until the fault is seen: in a child, because some faults end the process.
/// Returns true when it was, and says in how many worlds.
bool is_caught(int number, std::uint64_t worlds_max) {
    const pid_t child = ::fork();
    if (child == 0) {
        active = number;
        std::cerr.setstate(std::ios::failbit);
        std::cout.setstate(std::ios::failbit);
        const rlimit limit{child_cpu_seconds_max, child_cpu_seconds_max};
        ::setrlimit(RLIMIT_CPU, &limit);
        if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(2);
        for (std::uint64_t seed = 1; seed <= worlds_max; ++seed) {
            World world(seed);
            if (!world.run().empty()) ::_exit(1);
        }
        ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) == 1;
}

std::uint64_t worlds_max() {
    const char* text = std::getenv("FRAGMEND_SEEDS");
    return text == nullptr ? 3000 : std::strtoull(text, nullptr, 10);
}

TEST(SimulationMutants, AreAllStillInTheSources) {
    for (const Mutant& mutant : mutants)
        EXPECT_FALSE(mutant.is_stale) << mutant.name << ": mutants.py does not find its text";
    EXPECT_GE(std::size(mutants), 25u);
}

TEST(SimulationMutants, NothingIsCaughtWithoutAFault) {
    EXPECT_FALSE(is_caught(0, 200));
}

TEST(SimulationMutants, AreAllCaught) {
    const char* only = std::getenv("FRAGMEND_MUTANT");
    for (const Mutant& mutant : mutants) {
        if (mutant.is_stale || (only != nullptr && std::atoi(only) != mutant.number)) continue;
        EXPECT_TRUE(is_caught(mutant.number, worlds_max()))
            << mutant.number << " " << mutant.name << " was not caught";
    }
}

}  // namespace

bool mutant(int number) {
    return number == active;
}

}  // namespace fragmend::sim
