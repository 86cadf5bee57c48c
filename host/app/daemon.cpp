// Wiring of a reconstructor process, or of workers and their parent.
#include "host/app/daemon.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>

#include "host/app/process_life.hpp"
#include "host/app/recon_report.hpp"
#include "host/app/reconstructor.hpp"
#include "host/app/reload.hpp"
#include "host/app/setup.hpp"
#include "host/app/summary.hpp"
#include "host/app/supervisor.hpp"
#include "host/swift/recon_cache.hpp"

namespace fragmend::app {
namespace {

int refuse(const CommandLine& line, const Error& error) {
    std::cerr << "fragmend: " << error.detail << std::endl;
    // Swift's daemons exit with 1 whatever was wrong at start.
    const bool is_ours_to_explain = error == errc::internal;
    if (line.drop_in || is_ours_to_explain) return static_cast<int>(ExitCode::internal_error);
    return static_cast<int>(ExitCode::usage);
}

/// What this process does when it does all the work; overrides count for one pass only, as in
/// Swift.
Share whole_share(const Setup& setup) {
    if (!setup.is_once()) return {};
    return {setup.line().devices, setup.line().partitions, -1, 0};
}

void leave_streams(const Setup& setup) {
    const auto& line = setup.line();
    const bool has_summary = setup.is_once() && !line.drop_in;
    const bool shows_progress =
        line.progress == ProgressMode::always ||
        (line.progress == ProgressMode::automatic && ::isatty(STDERR_FILENO) != 0);
    leave_standard_streams(has_summary, line.verbose || shows_progress);
}

/// Ends the process, or starts it anew, whatever is still under way: connections break and locks
/// vanish with it, which is what its peers and the disks are made for.
void leave_now(Setup& setup, const RunEnd& end) {
    if (end.start_anew) {
        start_anew(setup.line(), setup.orders(), setup.log());
        ::_exit(static_cast<int>(ExitCode::internal_error));
    }
    ::_exit(end.exit_code);
}

int run_share(Setup& setup, Share share, int summary_fd) {
    Reconstructor reconstructor(setup, std::move(share), summary_fd,
                                [&setup](const RunEnd& end) { leave_now(setup, end); });
    if (const auto ready = reconstructor.prepare(); ready.has_error()) {
        setup.log().error(ready.error().detail);
        return static_cast<int>(ExitCode::internal_error);
    }
    return reconstructor.run().exit_code;
}

/// Beyond what the slowest of drivers needs to start many devices.
constexpr std::chrono::seconds trial_limit{120};
constexpr int kill_limit_ms = 2000;
/// What the trial says when it has nothing to complain of.
constexpr std::string_view codes_work = "good";

/// One that hangs in a driver does not even die of SIGKILL: it is left to the kernel.
void kill_and_reap(pid_t pid) {
    static_cast<void>(::kill(pid, SIGKILL));
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd end{process.get(), POLLIN, 0};
    static_cast<void>(::poll(&end, 1, kill_limit_ms));
    static_cast<void>(::waitpid(pid, nullptr, WNOHANG));
}

/// Whether the code of every policy works, found out in a process of its own: the parent of workers
/// must have no threads and nothing else that a fork would break.
Result<void> try_codes(Setup& setup) {
    int ends[2];
    if (::pipe(ends) != 0) return error_from_errno(errno, "pipe");
    const UniqueFd input(ends[0]);
    UniqueFd output(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) return error_from_errno(errno, "fork");
    if (pid == 0) {
        static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGKILL));
        Reconstructor trial(setup, whole_share(setup), -1, [](const RunEnd&) {});
        const auto ready = trial.prepare();
        const std::string text(ready.has_error() ? std::string_view(ready.error().detail)
                                                 : codes_work);
        static_cast<void>(::write(output.get(), text.data(), text.size()));
        // Closed before the end: a thread that hangs in a driver keeps it, and its process.
        output.reset();
        ::_exit(0);
    }
    output.reset();
    std::string said;
    const bool ended = read_to_end(input.get(), trial_limit, said);
    kill_and_reap(pid);
    if (said == codes_work) return {};
    if (!ended) {
        return Error{errc::bad_config, "trying the erasure codes does not end within " +
                                           std::to_string(trial_limit.count()) + " s"};
    }
    return Error{errc::bad_config, said.empty() ? "trying the erasure codes failed" : said};
}

SupervisorPorts supervisor_ports(Setup& setup) {
    const auto workers = setup.options().reconstructor_workers;
    const auto share = whole_share(setup);
    // The parent's view of what is local, for the sum and for changes.
    auto devices = std::make_shared<std::set<std::string>>(setup.local_devices());
    SupervisorPorts ports;
    ports.work = [&setup](const Share& its, int summary_fd) {
        return run_share(setup, its, summary_fd);
    };
    ports.deal_out = [workers, share, devices] {
        return deal_out(workers, *devices, share.devices, share.partitions);
    };
    ports.devices_changed = [&setup, devices] {
        // As in Swift only a ring decides anew: a resolver or an interface that is away for a
        // moment is no reason to break off the workers' passes, nor to be asked every few seconds.
        if (!setup.refresh_rings()) return false;
        auto now = setup.local_devices();
        if (now == *devices) return false;
        *devices = std::move(now);
        return true;
    };
    ports.may_start_anew = [&setup] {
        return check_configuration_again(setup.line(), setup.log(), is_end_pending);
    };
    ports.took_new_limits = [&setup] {
        const auto limits = setup.changed_limits();
        if (!limits) return false;
        setup.take_limits(*limits);
        setup.forget_ordered_limits();
        return true;
    };
    ports.aggregate = [&setup, devices] {
        const auto cache = swift::load_recon_cache(setup.options().recon_cache_file());
        const auto now_s = setup.clock().now().seconds();
        setup.tell_recon(
            aggregate_reports(cache.has_value() ? *cache : swift::JsonMembers{}, *devices, now_s),
            setup.log());
    };
    return ports;
}

RunEnd run_workers(Setup& setup) {
    SupervisorLimits limits;
    limits.aggregate_interval = std::chrono::duration<double>(setup.options().stats_interval_s);
    Supervisor supervisor(supervisor_ports(setup), limits, setup.is_once(), setup.log());
    auto end = supervisor.run();
    if (setup.line().json) std::cout << merge_summaries(supervisor.summaries()) << std::endl;
    if (setup.line().drop_in && end.exit_code != static_cast<int>(ExitCode::internal_error))
        end.exit_code = static_cast<int>(ExitCode::done);
    return end;
}

void begin(const Setup& setup) {
    leave_streams(setup);
    setup.log().notice("Starting " + std::to_string(::getpid()));
    notify_service_manager("READY=1");
}

Result<RunEnd> run_inline(Setup& setup) {
    Reconstructor reconstructor(setup, whole_share(setup), -1,
                                [&setup](const RunEnd& end) { leave_now(setup, end); });
    if (auto ready = reconstructor.prepare(); ready.has_error()) return ready.error();
    begin(setup);
    return reconstructor.run();
}

int check(Setup& setup) {
    if (auto usable = try_codes(setup); usable.has_error())
        return refuse(setup.line(), usable.error());
    std::cout << "fragmend: " << setup.line().conf_path << " is good: " << setup.policies().size()
              << " erasure-coded policies, " << setup.local_devices().size() << " local devices, "
              << std::max<std::int64_t>(0, setup.options().reconstructor_workers) << " workers"
              << std::endl;
    return static_cast<int>(ExitCode::done);
}

}  // namespace

int run_reconstructor(const CommandLine& line) {
    if (!line.check) hold_hangups();
    auto made = Setup::make(line);
    if (made.has_error()) return refuse(line, made.error());
    Setup& setup = *made.value();
    if (line.check) return check(setup);

    RunEnd end;
    if (setup.options().reconstructor_workers > 0) {
        if (auto usable = try_codes(setup); usable.has_error()) return refuse(line, usable.error());
        begin(setup);
        end = run_workers(setup);
    } else {
        auto ran = run_inline(setup);
        if (ran.has_error()) return refuse(line, ran.error());
        end = ran.value();
    }
    if (end.start_anew) {
        start_anew(line, setup.orders(), setup.log());
        end.exit_code = static_cast<int>(ExitCode::internal_error);
    }
    setup.log().notice("Exited " + std::to_string(::getpid()));
    return end.exit_code;
}

}  // namespace fragmend::app
