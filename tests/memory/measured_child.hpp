// Processes whose pages are counted apart: the peers' and the rebuilder's.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

#include "bench/scheduler/memory_peers.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::bench {

inline constexpr std::size_t kib = 1024;

/// `VmHWM` and its like of /proc/PID/status, in KiB; 0 for a process that is no more.
inline std::size_t kib_of(pid_t pid, const std::string& name) {
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

/// What a peer's process says of itself; trivially copyable, for a pipe.
struct Addresses {
    std::array<std::uint16_t, 6> ports;
    std::uint64_t archive_bytes;
    std::size_t fragment_bytes;
};

/// A child's end: whatever it holds stays as it is until it is killed.
inline void stay(int from_parent) {
    char end;
    while (::read(from_parent, &end, 1) > 0) {
    }
}

/// Runs `peers` and lives on.
inline void serve(const MemoryPeers& peers, int from_parent, int to_parent) {
    const PeerView view = peers.view();
    Addresses addresses{{}, view.archive_bytes, view.fragment_bytes};
    for (std::size_t i = 0; i < addresses.ports.size(); ++i)
        addresses.ports[i] = view.nodes.at(i).port;
    tell(to_parent, addresses);
    stay(from_parent);
    ::_exit(0);
}

/// To be called by the child that is measured, before it begins.
inline void tell_size(int to_parent) {
    std::ofstream("/proc/self/clear_refs") << "5";
    tell(to_parent, kib_of(::getpid(), "VmRSS"));
}

/// How long a child is followed: one that `ends` until it says more, another one until it has not
/// grown for `calm`.
struct Watch {
    bool ends = false;
    std::chrono::milliseconds calm{1500};
};

/// Follows a child that has called `tell_size`. Expects that it grows by `budget_bytes` and 5 % at
/// most.
inline void expect_growth_within(const Child& child, const char* name, std::size_t budget_bytes,
                                 const Watch& watch) {
    using Steady = std::chrono::steady_clock;
    constexpr std::chrono::seconds case_limit{60};
    std::size_t before_kib = 0;
    ASSERT_TRUE(child.hear(before_kib));
    const auto give_up = Steady::now() + case_limit;
    std::size_t peak_kib = 0;
    auto grown_at = Steady::now();
    while (!child.has_said_more() && Steady::now() < give_up) {
        const std::size_t now_kib = kib_of(child.pid(), "VmHWM");
        if (now_kib > peak_kib) grown_at = Steady::now();
        peak_kib = std::max(peak_kib, now_kib);
        if (!watch.ends && Steady::now() - grown_at > watch.calm) break;
    }
    peak_kib = std::max(peak_kib, kib_of(child.pid(), "VmHWM"));
    ASSERT_GT(peak_kib, before_kib) << "nothing was measured";
    const std::size_t grown_kib = peak_kib - before_kib;
    std::printf("%-34s %6zu KiB before, %6zu KiB at most: %5.1f %% of the budget\n", name,
                before_kib, peak_kib,
                100.0 * static_cast<double>(grown_kib) / static_cast<double>(budget_bytes / kib));
    EXPECT_LE(grown_kib, budget_bytes / kib * 105 / 100);
}

}  // namespace fragmend::bench
