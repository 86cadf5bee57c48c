// The parent of worker processes: starts them, starts them again, ends them, sums up for them.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/app/reconstructor.hpp"
#include "host/app/worker_plan.hpp"
#include "host/base/log.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::app {

/// What the supervisor asks of the daemon; all calls may block for a moment.
struct SupervisorPorts {
    /// Runs in a forked child, with default signals, but SIGHUP is held back until the child says
    /// `accept_hangups`; the result becomes its exit status. JSON of a summary goes to
    /// `summary_fd`.
    std::function<int(const Share& share, int summary_fd)> work;
    /// How the work is dealt out now.
    std::function<std::vector<Share>()> deal_out;
    /// True when the workers' devices are no longer those of the rings.
    std::function<bool()> devices_changed;
    /// SIGHUP: true when the new configuration is good.
    std::function<bool()> may_start_anew;
    /// SIGHUP: true when only limits have changed and this process has taken them; its workers do
    /// the same when they are told.
    std::function<bool()> took_new_limits;
    /// Sums the workers' recon entries up.
    std::function<void()> aggregate;
};

struct SupervisorLimits {
    std::chrono::milliseconds health_interval{5000};
    std::chrono::duration<double> aggregate_interval{300};
    /// From the signal to SIGKILL; Swift's manager gives up after 15 s.
    std::chrono::milliseconds stop_limit{8000};
    /// From SIGKILL until a worker that is still there is left alone.
    std::chrono::milliseconds leave_limit{2000};
};

/// Runs in a process without threads, because it forks; lives in `main`.
/// Source: swift.common.daemon.DaemonStrategy; ObjectReconstructor.is_healthy.
class Supervisor {
  public:
    Supervisor(SupervisorPorts ports, SupervisorLimits limits, bool once, Logger log);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// Until every worker is done (once) or a signal ends it. The exit code is the gravest one of a
    /// single pass, and 0 for a daemon that was told to end.
    RunEnd run();
    /// Summaries of workers that ended by themselves, as they wrote them.
    const std::vector<std::string>& summaries() const { return summaries_; }

  private:
    struct Worker {
        Share share;
        UniqueFd summary;
    };

    void start(Share share);
    [[noreturn]] void become_worker(const Share& share, int summary_fd, pid_t parent);
    void start_waiting();
    void reap();
    void note_end(pid_t pid, int status, const Worker& worker);
    void check_health();
    /// Ends all workers: TERM, and KILL at the limit.
    void stop_workers();
    /// Reaps until no worker is left or `limit` is over; looks at least once.
    void clean_up(std::chrono::milliseconds limit);
    /// The next signal, or 0 after `limit`.
    int wait_for_signal(std::chrono::milliseconds limit) const;
    /// True when the signal ends the run.
    bool handle(int signal);

    SupervisorPorts ports_;
    SupervisorLimits limits_;
    bool once_;
    Logger log_;
    sigset_t signals_{};
    sigset_t before_{};
    std::map<pid_t, Worker> workers_;
    std::vector<Share> waiting_;  ///< To be started at the next look.
    std::vector<std::string> summaries_;
    std::chrono::steady_clock::time_point next_aggregate_;
    RunEnd end_;
};

/// The graver one of two exit codes: an internal error, then work that remains, then objects that
/// are lost.
int graver(int one, int other);

}  // namespace fragmend::app
