// The parent of worker processes.
#include "host/app/supervisor.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>

#include "host/app/process_life.hpp"
#include "host/base/clock.hpp"

namespace fragmend::app {
namespace {

using Steady = std::chrono::steady_clock;

/// A worker's arguments in the shape that Swift logs them.
std::string text_of(const Share& share) {
    std::string text = "{'override_partitions': [";
    for (std::size_t i = 0; i < share.partitions.size(); ++i)
        text += (i > 0 ? ", " : "") + std::to_string(share.partitions[i]);
    text += "], 'override_devices': [";
    for (std::size_t i = 0; i < share.devices.size(); ++i)
        text += (i > 0 ? ", '" : "'") + share.devices[i] + "'";
    return text + "], 'multiprocess_worker_index': " + std::to_string(share.worker_index) + "}";
}

/// A SIGTERM or SIGINT that waits, 0 if there is none.
int take_end() {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    const timespec now{};
    return std::max(::sigtimedwait(&ends, nullptr, &now), 0);
}

std::string read_summary(int fd) {
    std::string text;
    char piece[4096];
    off_t at = 0;
    ssize_t count = 0;
    while ((count = ::pread(fd, piece, sizeof piece, at)) > 0) {
        text.append(piece, static_cast<std::size_t>(count));
        at += count;
    }
    return text;
}

}  // namespace

int graver(int one, int other) {
    constexpr std::array order = {static_cast<int>(ExitCode::done),
                                  static_cast<int>(ExitCode::unrecoverable_objects),
                                  static_cast<int>(ExitCode::work_remains)};
    // Whatever is not in the list is a fault.
    const auto rank = [&](int code) { return std::ranges::find(order, code) - order.begin(); };
    return rank(one) >= rank(other) ? one : other;
}

Supervisor::Supervisor(SupervisorPorts ports, SupervisorLimits limits, bool once, Logger log)
    : ports_(std::move(ports)),
      limits_(limits),
      once_(once),
      log_(std::move(log)),
      next_aggregate_(Steady::now() + at_most_a_year(limits.aggregate_interval)) {
    ::sigemptyset(&signals_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD})
        ::sigaddset(&signals_, number);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
}

Supervisor::~Supervisor() {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

RunEnd Supervisor::run() {
    waiting_ = ports_.deal_out();
    start_waiting();
    auto next_look = Steady::now() + limits_.health_interval;
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(next_look - Steady::now());
        const int signal = wait_for_signal(std::max(left, std::chrono::milliseconds(0)));
        if (signal != 0 && handle(signal)) break;
        reap();
        if (once_ && workers_.empty()) {
            log_.notice("Finished " + std::to_string(::getpid()));
            ports_.aggregate();
            break;
        }
        if (Steady::now() < next_look) continue;
        next_look = Steady::now() + limits_.health_interval;
        check_health();
        if (!once_) start_waiting();
    }
    return end_;
}

int Supervisor::wait_for_signal(std::chrono::milliseconds limit) const {
    const timespec wait{limit.count() / 1000, limit.count() % 1000 * 1000000};
    const int signal = ::sigtimedwait(&signals_, nullptr, &wait);
    if (signal != SIGHUP) return std::max(signal, 0);
    // Of several the lowest number comes first, but whoever wants an end does not wait for a check.
    const int end = take_end();
    return end != 0 ? end : SIGHUP;
}

bool Supervisor::handle(int signal) {
    if (signal == SIGCHLD) return false;
    if (signal == SIGHUP && !once_) {
        log_.notice("SIGHUP received (" + std::to_string(::getpid()) +
                    "): looking at the configuration");
        if (ports_.took_new_limits()) {
            for (const auto& [worker_pid, worker] : workers_)
                static_cast<void>(::kill(worker_pid, SIGHUP));
            return false;
        }
        if (!ports_.may_start_anew()) return false;
        // What came meanwhile is heard first: an end, or a configuration newer than the checked.
        if (is_end_pending() || is_pending(SIGHUP)) return false;
        end_.start_anew = true;
    } else {
        log_.notice(end_line(signal));
    }
    stop_workers();
    if (!end_.start_anew) return true;
    if (const int end = take_end(); end != 0) {
        end_.start_anew = false;
        log_.notice(end_line(end));
    }
    return true;
}

void Supervisor::start_waiting() {
    std::vector<Share> shares;
    shares.swap(waiting_);
    for (Share& share : shares)
        start(std::move(share));
}

void Supervisor::start(Share share) {
    UniqueFd summary(::memfd_create("fragmend-summary", MFD_CLOEXEC));
    static_cast<void>(std::fflush(nullptr));
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become_worker(share, summary.get(), parent);
    if (pid < 0) {
        log_.error("A worker could not be started: " + error_from_errno(errno, "fork").detail);
        waiting_.push_back(std::move(share));
        if (once_) end_.exit_code = static_cast<int>(ExitCode::internal_error);
        return;
    }
    log_.debug("Spawned worker " + std::to_string(pid) + " with " + text_of(share));
    workers_.emplace(pid, Worker{std::move(share), std::move(summary)});
}

void Supervisor::become_worker(const Share& share, int summary_fd, pid_t parent) {
    // A worker whose parent is gone has nobody who would end it: it goes, too.
    static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGTERM));
    if (::getppid() != parent) ::_exit(0);
    // A SIGHUP that is passed on early waits until the worker listens.
    sigset_t its = before_;
    ::sigaddset(&its, SIGHUP);
    ::sigprocmask(SIG_SETMASK, &its, nullptr);
    const int code = ports_.work(share, summary_fd);
    std::cout.flush();
    static_cast<void>(std::fflush(nullptr));
    ::_exit(code);
}

void Supervisor::reap() {
    for (auto next = workers_.begin(); next != workers_.end();) {
        const auto one = next++;
        int status = 0;
        if (::waitpid(one->first, &status, WNOHANG) != one->first) continue;
        note_end(one->first, status, one->second);
        waiting_.push_back(std::move(one->second.share));
        workers_.erase(one);
    }
}

void Supervisor::note_end(pid_t pid, int status, const Worker& worker) {
    const std::string name = "Worker " + std::to_string(pid);
    if (WIFSIGNALED(status)) {
        log_.error(name + " died (signal " + std::to_string(WTERMSIG(status)) + ")" +
                   (once_ ? "" : "; it will be started again"));
        if (once_)
            end_.exit_code = graver(end_.exit_code, static_cast<int>(ExitCode::internal_error));
        return;
    }
    log_.debug(name + " exited");
    if (once_) end_.exit_code = graver(end_.exit_code, WEXITSTATUS(status));
    if (auto summary = read_summary(worker.summary.get()); once_ && !summary.empty())
        summaries_.push_back(std::move(summary));
}

void Supervisor::check_health() {
    if (Steady::now() >= next_aggregate_) {
        next_aggregate_ = Steady::now() + at_most_a_year(limits_.aggregate_interval);
        ports_.aggregate();
    }
    if (!ports_.devices_changed()) return;
    log_.debug("Daemon needs to change options, aborting workers");
    stop_workers();
    waiting_ = ports_.deal_out();
    if (once_) start_waiting();
}

void Supervisor::stop_workers() {
    for (const auto& [pid, worker] : workers_)
        static_cast<void>(::kill(pid, SIGTERM));
    clean_up(limits_.stop_limit);
    for (const auto& [pid, worker] : workers_) {
        log_.error("Worker " + std::to_string(pid) + " does not end and is killed");
        static_cast<void>(::kill(pid, SIGKILL));
    }
    // One that waits for a dead disk does not even die of SIGKILL: it is left to the kernel.
    clean_up(limits_.leave_limit);
    workers_.clear();
}

void Supervisor::clean_up(std::chrono::milliseconds limit) {
    const auto until = Steady::now() + limit;
    while (true) {
        for (auto next = workers_.begin(); next != workers_.end();) {
            const auto one = next++;
            int status = 0;
            if (::waitpid(one->first, &status, WNOHANG) != one->first) continue;
            log_.debug("Cleaned up worker " + std::to_string(one->first));
            if (once_ && WIFEXITED(status))
                end_.exit_code = graver(end_.exit_code, WEXITSTATUS(status));
            workers_.erase(one);
        }
        if (workers_.empty() || Steady::now() >= until) return;
        sigset_t child;
        ::sigemptyset(&child);
        ::sigaddset(&child, SIGCHLD);
        const timespec moment{0, 50000000};
        static_cast<void>(::sigtimedwait(&child, nullptr, &moment));
    }
}

}  // namespace fragmend::app
