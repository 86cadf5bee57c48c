// Checking the new configuration in a process of its own, and starting anew in this one.
#include "host/app/reload.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <vector>

#include "host/app/process_life.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"

namespace fragmend::app {
namespace {

constexpr std::chrono::seconds check_limit{90};  // Longer than a GPU is waited for.
/// So late an end that is asked for is noticed while the check runs.
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::size_t output_bytes_max = 4096;

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::string in_one_line(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

/// Where the program is started again: in the folder of its first start, for paths may be relative
/// to it; but the daemon's user need not have a way into root's.
std::string folder_of(const CommandLine& line) {
    const bool is_absolute = line.conf_path.starts_with('/') && line.swift_conf.starts_with('/');
    if (is_absolute && ::access(line.start_directory.c_str(), X_OK) != 0) return "/";
    return line.start_directory;
}

/// The check as a child whose output goes to `output`; its process id, or the error number.
Result<pid_t> spawn_check(const CommandLine& line, int output) {
    auto words = line.arguments;
    words.emplace_back("--check");
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder_of(line).c_str());
    // Signals that the caller blocks would stay blocked there.
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, line.program_path.c_str(), &actions, &attributes,
                                     pointers_to(words).data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) return error_from_errno(failed, line.program_path);
    return pid;
}

void close_all_on_exec() {
    const auto listed = swift::read_directory(AT_FDCWD, "/proc/self/fd");
    if (listed.has_error()) return;
    for (const auto& name : listed->names) {
        const int fd = std::atoi(name.c_str());
        if (fd > STDERR_FILENO) static_cast<void>(::fcntl(fd, F_SETFD, FD_CLOEXEC));
    }
}

}  // namespace

bool read_to_end(int fd, std::chrono::milliseconds limit, std::string& text,
                 const std::function<bool()>& gives_up) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!gives_up()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd waited{fd, POLLIN, 0};
        if (::poll(&waited, 1, static_cast<int>(std::min(left, look_interval).count())) <= 0)
            continue;
        char piece[512];
        const auto count = ::read(fd, piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return true;
        if (text.size() < output_bytes_max) text.append(piece, static_cast<std::size_t>(count));
    }
    return false;
}

bool check_configuration_again(const CommandLine& line, const Logger& log,
                               const std::function<bool()>& gives_up) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        log.error("Keeping the old configuration: no pipe to check the new one");
        return false;
    }
    const UniqueFd input(ends[0]);
    UniqueFd output(ends[1]);
    const auto pid = spawn_check(line, output.get());
    output.reset();
    if (pid.has_error()) {
        log.error("Keeping the old configuration: " + pid.error().detail);
        return false;
    }
    std::string said;
    const bool ended = read_to_end(input.get(), check_limit, said, gives_up);
    if (!ended) {
        static_cast<void>(::kill(pid.value(), SIGKILL));
        said = "checking the new one takes too long";
    }
    int status = 0;
    while (::waitpid(pid.value(), &status, 0) < 0 && errno == EINTR) {
    }
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (!ended && gives_up()) return false;
    log.error("Keeping the old configuration: " + in_one_line(said));
    return false;
}

void start_anew(const CommandLine& line, const OrderMemory& orders, const Logger& log) {
    log.notice("Starting again with the new configuration (" + std::to_string(::getpid()) + ")");
    const std::string folder = folder_of(line);
    if (::chdir(folder.c_str()) != 0) {
        log.error("Starting again failed: " + error_from_errno(errno, folder).detail);
        return;
    }
    close_all_on_exec();
    orders.hand_on();
    // This start reads everything anew, and with that serves each SIGHUP until now: ignoring one
    // that waits forgets it. SIGTERM and SIGINT that wait act here.
    hold_hangups();
    static_cast<void>(std::signal(SIGHUP, SIG_IGN));
    static_cast<void>(std::signal(SIGHUP, SIG_DFL));
    sigset_t held;
    ::sigemptyset(&held);
    ::sigaddset(&held, SIGHUP);
    ::pthread_sigmask(SIG_SETMASK, &held, nullptr);
    auto words = line.arguments;
    ::execv(line.program_path.c_str(), pointers_to(words).data());
    log.error("Starting again failed: " + error_from_errno(errno, line.program_path).detail);
}

}  // namespace fragmend::app
