// How much memory a rebuilding process takes beside its budget: small, middling and large objects,
// one session and many, quick peers and stalled ones. Peers and rebuilder are processes of their
// own, so that each one's pages are counted apart.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

#include "bench/scheduler/pipeline.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t budget_bytes = 64 << 20;
constexpr std::size_t kib = 1024;
/// A process that has not grown for so long is as large as it gets.
constexpr std::chrono::milliseconds calm{1500};
constexpr std::chrono::seconds case_limit{60};

/// `VmHWM` and its like of /proc/PID/status, in KiB; 0 for a process that is no more.
std::size_t kib_of(pid_t pid, const std::string& name) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1));
    }
    return 0;
}

/// A child that runs `work` with the ends of two pipes; killed and reaped with its owner.
class Child {
  public:
    explicit Child(const std::function<void(int from_parent, int to_parent)>& work) {
        std::array<int, 2> down{}, up{};
        if (::pipe2(down.data(), O_CLOEXEC) != 0 || ::pipe2(up.data(), O_CLOEXEC) != 0)
            std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(down[1]);
            ::close(up[0]);
            rlimit files{};
            ::getrlimit(RLIMIT_NOFILE, &files);
            files.rlim_cur = files.rlim_max;
            ::setrlimit(RLIMIT_NOFILE, &files);
            work(down[0], up[1]);
            ::_exit(0);
        }
        ::close(down[0]);
        ::close(up[1]);
        to_child_ = UniqueFd(down[1]);
        from_child_ = UniqueFd(up[0]);
    }
    ~Child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    /// Blocks until the child says that many bytes; false when it ends before.
    template <typename T>
    bool hear(T& value) const {
        return ::read(from_child_.get(), &value, sizeof value) == sizeof value;
    }
    /// Waits for a moment.
    bool has_said_more() const {
        pollfd waited{from_child_.get(), POLLIN, 0};
        return ::poll(&waited, 1, 20) > 0;
    }

  private:
    pid_t pid_ = -1;
    UniqueFd to_child_, from_child_;
};

template <typename T>
void tell(int fd, const T& value) {
    if (::write(fd, &value, sizeof value) != sizeof value) ::_exit(3);
}

struct Case {
    const char* name;
    std::size_t fragment_bytes;
    std::size_t segments;
    std::size_t sessions;
    std::uint64_t objects;
    Manner manner;
    bool only_in_full = false;  ///< Takes 13 GiB for the peers: FRAGMEND_FULL=1 runs it.
};

ObjectShape shape_of(const Case& one) {
    ObjectShape shape;
    shape.segment_bytes = static_cast<std::size_t>(shape.scheme.k) * (one.fragment_bytes - 80);
    shape.segments = one.segments;
    return shape;
}

/// Trivially copyable, for a pipe.
struct Addresses {
    std::array<std::uint16_t, 6> ports;
    std::uint64_t archive_bytes;
    std::size_t fragment_bytes;
};

void serve(const Case& one, int from_parent, int to_parent) {
    MemoryPeers peers(shape_of(one), one.manner);
    const PeerView view = peers.view();
    Addresses addresses{{}, view.archive_bytes, view.fragment_bytes};
    for (std::size_t i = 0; i < addresses.ports.size(); ++i)
        addresses.ports[i] = view.nodes.at(i).port;
    tell(to_parent, addresses);
    char end;
    while (::read(from_parent, &end, 1) > 0) {
    }
    ::_exit(0);
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
    std::ofstream("/proc/self/clear_refs") << "5";
    tell(to_parent, kib_of(::getpid(), "VmRSS"));
    const Run run = rebuild(view, shape_of(one), one.objects, limits);
    tell(to_parent, Report{run.objects, run.failed_sessions});
}

class Memory : public ::testing::TestWithParam<Case> {};

TEST_P(Memory, GrowsByTheBudgetAndFivePercentAtMost) {
    const Case& one = GetParam();
    if (one.only_in_full && std::getenv("FRAGMEND_FULL") == nullptr) GTEST_SKIP();
    Child peers([&](int from_parent, int to_parent) { serve(one, from_parent, to_parent); });
    Addresses addresses{};
    ASSERT_TRUE(peers.hear(addresses));
    Child rebuilder([&](int from_parent, int to_parent) {
        rebuild_all(one, addresses, to_parent);
        char end;
        while (::read(from_parent, &end, 1) > 0) {
        }
    });
    std::size_t before_kib = 0;
    ASSERT_TRUE(rebuilder.hear(before_kib));
    // A stalled one is watched until it does not grow any more, a quick one to its end.
    const auto give_up = Steady::now() + case_limit;
    std::size_t peak_kib = 0;
    auto grown_at = Steady::now();
    while (!rebuilder.has_said_more() && Steady::now() < give_up) {
        const std::size_t now_kib = kib_of(rebuilder.pid(), "VmHWM");
        if (now_kib > peak_kib) grown_at = Steady::now();
        peak_kib = std::max(peak_kib, now_kib);
        if (one.manner != Manner::quick && Steady::now() - grown_at > calm) break;
    }
    peak_kib = std::max(peak_kib, kib_of(rebuilder.pid(), "VmHWM"));
    if (one.manner == Manner::quick) {
        Report report{};
        ASSERT_TRUE(rebuilder.hear(report));
        // On a machine that has other things to do sessions time out; what counts is memory.
        EXPECT_GT(report.objects, 0u);
    }
    ASSERT_GT(peak_kib, before_kib) << "nothing was measured";
    const std::size_t grown_kib = peak_kib - before_kib;
    std::printf("%-34s %6zu KiB before, %6zu KiB at most: %5.1f %% of the budget\n", one.name,
                before_kib, peak_kib,
                100.0 * static_cast<double>(grown_kib) / (budget_bytes / kib));
    EXPECT_LE(grown_kib, budget_bytes / kib * 105 / 100);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Memory,
    ::testing::Values(
        Case{"small_one_session", kib, 1, 1, 2000, Manner::quick},
        Case{"small_64_sessions", kib, 1, 64, 4000, Manner::quick},
        Case{"small_64_not_reading", kib, 1, 64, 200'000, Manner::stalls_when_receiving},
        Case{"little_64_not_reading", 16 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"little_64_not_sending", 16 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"many_little_64_not_reading", 16 * kib, 10, 64, 6400, Manner::stalls_when_receiving},
        Case{"middling_one_session", 256 * kib, 1, 1, 60, Manner::quick},
        Case{"middling_64_sessions", 256 * kib, 1, 64, 192, Manner::quick},
        Case{"middling_64_not_reading", 256 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"middling_64_not_sending", 256 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"just_buffered_64_not_reading", 32 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"just_buffered_64_not_sending", 32 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"unbuffered_64_not_reading", 64 * kib, 1, 64, 6400, Manner::stalls_when_receiving},
        Case{"unbuffered_64_not_sending", 64 * kib, 1, 64, 6400, Manner::stalls_when_sending},
        Case{"large_one_session", 256 * kib, 40, 1, 4, Manner::quick},
        Case{"large_64_not_reading", 256 * kib, 40, 64, 640, Manner::stalls_when_receiving},
        Case{"large_64_not_sending", 256 * kib, 40, 64, 640, Manner::stalls_when_sending},
        Case{"five_gib_one_session", 256 * kib, 5120, 1, 2, Manner::quick, true},
        Case{"five_gib_64_not_reading", 256 * kib, 5120, 64, 640, Manner::stalls_when_receiving,
             true},
        Case{"five_gib_64_not_sending", 256 * kib, 5120, 64, 640, Manner::stalls_when_sending,
             true}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace fragmend::bench
