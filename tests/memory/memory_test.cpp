// How much memory a rebuilding process takes beside its budget: small, middling and large objects,
// one session and many, quick peers and stalled ones. Peers and rebuilder are processes of their
// own, so that each one's pages are counted apart.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "bench/scheduler/pipeline.hpp"
#include "tests/memory/measured_child.hpp"

namespace fragmend::bench {
namespace {

constexpr std::size_t budget_bytes = 64 << 20;
/// Quick peers may make a process pause in its growing.
constexpr std::chrono::seconds long_calm{10};

struct Case {
    const char* name;
    std::size_t fragment_bytes;
    std::size_t segments;
    std::size_t sessions;
    std::uint64_t objects;
    Manner manner;
    bool only_in_full = false;  ///< Takes 13 GiB for the peers: FRAGMEND_FULL=1 runs it.
    bool is_long = false;       ///< Quick, and more than anybody wants to wait for.
};

void PrintTo(const Case& one, std::ostream* out) {
    *out << one.name;
}

ObjectShape shape_of(const Case& one) {
    ObjectShape shape;
    shape.segment_bytes = static_cast<std::size_t>(shape.scheme.k) * (one.fragment_bytes - 80);
    shape.segments = one.segments;
    return shape;
}

struct Report {
    std::uint64_t objects;
    std::uint64_t failed_sessions;
};

void rebuild_all(const Case& one, const Addresses& addresses, int to_parent) {
    PeerView view{{}, addresses.archive_bytes, addresses.fragment_bytes};
    for (std::size_t i = 0; i < addresses.ports.size(); ++i)
        view.nodes.push_back(MemoryPeers::node_at(i, addresses.ports[i]));
    PipelineLimits limits;
    limits.sessions = one.sessions;
    limits.memory_bytes = budget_bytes;
    tell_size(to_parent);
    const Run run = rebuild(view, shape_of(one), one.objects, limits);
    tell(to_parent, Report{run.objects, run.failed_sessions});
}

class Memory : public ::testing::TestWithParam<Case> {};

TEST_P(Memory, GrowsByTheBudgetAndFivePercentAtMost) {
    const Case& one = GetParam();
    if (one.only_in_full && std::getenv("FRAGMEND_FULL") == nullptr) GTEST_SKIP();
    Child peers([&](int from_parent, int to_parent) {
        const MemoryPeers own(shape_of(one), one.manner);
        serve(own, from_parent, to_parent);
    });
    Addresses addresses{};
    ASSERT_TRUE(peers.hear(addresses));
    Child rebuilder([&](int from_parent, int to_parent) {
        rebuild_all(one, addresses, to_parent);
        stay(from_parent);
    });
    const bool ends = one.manner == Manner::quick && !one.is_long;
    expect_growth_within(rebuilder, one.name, budget_bytes,
                         {.ends = ends, .calm = one.is_long ? long_calm : Watch().calm});
    if (!ends) return;
    Report report{};
    ASSERT_TRUE(rebuilder.hear(report));
    // On a machine that has other things to do sessions time out; what counts is memory.
    EXPECT_GT(report.objects, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Memory,
    ::testing::Values(
        Case{"small_one_session", kib, 1, 1, 2000, Manner::quick},
        Case{"small_64_sessions", kib, 1, 64, 4000, Manner::quick},
        Case{"small_64_not_reading", kib, 1, 64, 200'000, Manner::stalls_when_receiving},
        Case{"little_one_not_reading", 16 * kib, 1, 1, 6400, Manner::stalls_when_receiving},
        Case{"little_one_not_sending", 16 * kib, 1, 1, 6400, Manner::stalls_when_sending},
        Case{"little_64_not_reading", 16 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"little_64_not_sending", 16 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"many_little_64_not_reading", 16 * kib, 10, 64, 6400, Manner::stalls_when_receiving},
        Case{"middling_one_session", 256 * kib, 1, 1, 60, Manner::quick},
        Case{"middling_one_not_reading", 256 * kib, 1, 1, 6400, Manner::stalls_when_receiving},
        Case{"middling_one_not_sending", 256 * kib, 1, 1, 6400, Manner::stalls_when_sending},
        Case{"middling_64_sessions", 256 * kib, 1, 64, 192, Manner::quick},
        Case{"middling_64_not_reading", 256 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"middling_64_not_sending", 256 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"just_buffered_64_not_reading", 32 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"just_buffered_64_not_sending", 32 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"unbuffered_64_not_reading", 64 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"unbuffered_64_not_sending", 64 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"large_one_session", 256 * kib, 40, 1, 4, Manner::quick},
        Case{"large_one_not_reading", 256 * kib, 40, 1, 640, Manner::stalls_when_receiving},
        Case{"large_one_not_sending", 256 * kib, 40, 1, 640, Manner::stalls_when_sending},
        // Each archive is larger than the budget.
        Case{"large_64_sessions", 256 * kib, 320, 64, 640, Manner::quick, false, true},
        Case{"large_64_not_reading", 256 * kib, 40, 64, 640, Manner::stalls_when_receiving},
        Case{"large_64_not_sending", 256 * kib, 40, 64, 640, Manner::stalls_when_sending},
        Case{"five_gib_one_session", 256 * kib, 5120, 1, 2, Manner::quick, true},
        Case{"five_gib_one_not_reading", 256 * kib, 5120, 1, 20, Manner::stalls_when_receiving,
             true},
        Case{"five_gib_one_not_sending", 256 * kib, 5120, 1, 20, Manner::stalls_when_sending, true},
        Case{"five_gib_64_sessions", 256 * kib, 5120, 64, 640, Manner::quick, true, true},
        Case{"five_gib_64_not_reading", 256 * kib, 5120, 64, 640, Manner::stalls_when_receiving,
             true},
        Case{"five_gib_64_not_sending", 256 * kib, 5120, 64, 640, Manner::stalls_when_sending,
             true}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace fragmend::bench
