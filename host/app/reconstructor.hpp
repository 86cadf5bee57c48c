// The passes of one process: once, or for ever, with what is logged and told around them.
#pragma once

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>

#include "host/app/command_line.hpp"
#include "host/app/control_socket.hpp"
#include "host/app/engine.hpp"
#include "host/app/pass.hpp"
#include "host/app/setup.hpp"
#include "host/app/sleeper.hpp"
#include "host/app/status_view.hpp"
#include "host/app/worker_plan.hpp"
#include "host/sync/activity.hpp"

namespace fragmend::app {

/// How a process, or all its workers, came to the end.
struct RunEnd {
    int exit_code = static_cast<int>(ExitCode::done);
    bool start_anew = false;  ///< SIGHUP, and the configuration is good.
};

/// How long work that was told to end may take; Swift's manager waits 15 s for a daemon to die.
inline constexpr std::chrono::seconds stop_limit{5};

/// The reconstructor of one process: all local devices, or a worker's share of them.
/// Source: swift.obj.reconstructor.ObjectReconstructor.run_once, run_forever.
class Reconstructor {
  public:
    /// `setup` outlives it. `summary_fd`: where a worker leaves its summary as JSON, -1 for
    /// standard output. `leave` ends the process at once; it is called when the work does not end
    /// within `stop_limit` of a signal.
    Reconstructor(Setup& setup, Share share, int summary_fd, std::function<void(RunEnd)> leave);
    /// Starts the threads and tries the code of every policy. Errors: bad_config.
    Result<void> prepare();
    /// Until the pass, or the daemon, ends. After `prepare`.
    RunEnd run();

  private:
    /// Runs the network thread until there is nothing left to do.
    void run_loop();
    void listen();
    /// What runs beside the passes until the end.
    void start_helpers(TaskGroup& helpers);
    Awaitable<void> end_helpers(TaskGroup& helpers);
    Awaitable<void> run_once();
    Awaitable<void> run_forever();
    /// One pass with its own counters, and what is shown while and after it runs.
    Awaitable<void> run_pass();
    Awaitable<void> after_pass(const Pass& pass, sync::PassStats& stats);
    /// The end of a pass of `--once`: what a person, a script and the shell are told.
    void conclude(const sync::PassStats& stats, double seconds);
    Awaitable<void> tell_recon(double seconds);
    Awaitable<void> serve_signals();
    /// After SIGHUP, and again when one came meanwhile.
    Awaitable<void> look_at_configuration();
    /// SIGHUP: true when limits are all that changed; they hold from now on.
    Awaitable<bool> took_new_limits();
    void set_limits(const swift::ThrottleOptions& limits);
    Result<void> change_limits(const ControlRequest& request);
    Result<void> pause(const WorkChoice& choice);
    Result<void> resume(const WorkChoice& choice);
    Result<void> cancel(const WorkChoice& choice, sync::Ending ending);
    /// Begins as processes before this one were told. Before anything runs.
    void recall_orders();
    /// For the processes after this one.
    void remember(const std::function<void(Orders&)>& change);
    Awaitable<void> leave_when_overdue();
    /// From here on SIGTERM and SIGINT end the process by themselves; returns when those that were
    /// taken before have been served.
    Awaitable<void> serve_last_signals();
    void stop();
    Awaitable<void> show_progress(const Pass& pass, const sync::PassStats& stats);
    Awaitable<void> log_heartbeat(const Pass& pass);
    Awaitable<void> watch_for_lockups();
    Awaitable<void> sample_rebuilds();
    std::string answer(const ControlRequest& request);
    StatusSource status_source() const;
    void log_activities(const std::vector<sync::ActivityView>& activities) const;
    void count_quarantines();
    bool shows_progress() const;

    Setup& setup_;
    const swift::ReconstructorOptions& options_;
    swift::ThrottleOptions limits_;  ///< That hold now.
    Share share_;
    bool once_;
    int summary_fd_;
    std::function<void(RunEnd)> leave_;
    Logger log_;
    std::unique_ptr<Engine> engine_;
    sync::ActivityBoard activities_;
    std::atomic<std::uint64_t> quarantines_{0};
    std::uint64_t quarantines_counted_ = 0;
    std::vector<WorkChoice> paused_;          ///< At most Pass::choices_max; no pass begins them.
    Pass* pass_ = nullptr;                    ///< The one that runs, in the frame of `run_pass`.
    const sync::PassStats* stats_ = nullptr;  ///< Its counters.
    std::uint64_t passes_ = 0;                ///< That ended.
    std::chrono::steady_clock::time_point began_;
    std::unique_ptr<ControlSocket> control_;
    /// What had been waited for at the last two looks: the older one is what "of late" begins with.
    struct Sample {
        std::chrono::steady_clock::time_point at;
        scheduler::Waits waits;
    };
    Sample sample_;
    Sample sample_before_;
    std::unique_ptr<asio::steady_timer> sample_timer_;
    std::atomic<bool> stopping_ = false;  ///< Disk threads look at it.
    bool is_looking_ = false;             ///< At the configuration.
    bool looks_again_ = false;
    bool ended_ = false;  ///< All passes are over, and what they left.
    std::unique_ptr<Sleeper> sleeper_;
    std::unique_ptr<asio::signal_set> signals_;
    std::unique_ptr<asio::steady_timer> overdue_;
    RunEnd end_;
};

/// Swift's line for a number of seconds: `30.0`, as Python prints a float.
std::string sleeping_line(double interval_s);

}  // namespace fragmend::app
