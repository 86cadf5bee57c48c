// System calls of a daemon's start.
#include "host/app/process_life.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>
#include <vector>

#include "host/base/unique_fd.hpp"

namespace fragmend::app {
namespace {

std::vector<gid_t> groups_of(const passwd& user) {
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

sigset_t only_hangup() {
    sigset_t hangup;
    ::sigemptyset(&hangup);
    ::sigaddset(&hangup, SIGHUP);
    return hangup;
}

}  // namespace

Result<void> drop_privileges(const std::string& user) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) return Error{errc::bad_config, "no user '" + user + "' on this machine"};
    if (::geteuid() == 0) {
        const auto groups = groups_of(*entry);
        // In a user namespace nobody may, root included; whoever is that user already needs no
        // groups.
        const bool is_user = ::getuid() == entry->pw_uid && ::getgid() == entry->pw_gid;
        if (::setgroups(groups.size(), groups.data()) != 0 && !(errno == EPERM && is_user)) {
            return error_from_errno(errno, "setgroups");
        }
    }
    if (::setgid(entry->pw_gid) != 0) return error_from_errno(errno, "becoming group of " + user);
    if (::setuid(entry->pw_uid) != 0) return error_from_errno(errno, "becoming user " + user);
    ::setenv("HOME", entry->pw_dir, 1);
    return {};
}

void apply_priorities(const swift::ReconstructorOptions& options, const Logger& log) {
    if (const auto& nice = options.nice_priority) {
        if (::setpriority(PRIO_PROCESS, 0, *nice) == 0)
            log.debug("set nice priority to " + std::to_string(*nice));
        else
            log.error("Unable to modify nice priority: " + std::generic_category().message(errno));
    }
    if (const auto& io = options.io_priority) {
        constexpr int who_process = 1;
        constexpr int class_shift = 13;
        if (::syscall(SYS_ioprio_set, who_process, 0, (io->io_class << class_shift) | io->level) ==
            0) {
            log.debug("set ionice class " + std::to_string(io->io_class) + " priority " +
                      std::to_string(io->level));
        } else {
            log.error("Unable to modify ionice priority: " +
                      std::generic_category().message(errno));
        }
    }
}

void leave_standard_streams(bool keep_output, bool keep_error) {
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null.valid()) return;
    static_cast<void>(std::fflush(nullptr));
    static_cast<void>(::dup2(null.get(), STDIN_FILENO));
    if (!keep_output) static_cast<void>(::dup2(null.get(), STDOUT_FILENO));
    if (!keep_error) static_cast<void>(::dup2(null.get(), STDERR_FILENO));
}

void settle_process() {
    static_cast<void>(::setsid());
    static_cast<void>(::chdir("/"));
    ::umask(022);
    // As in Python: neither a reader of standard error that goes away nor a file that grows beyond
    // its limit takes the daemon along.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
    ::setenv("TZ", "UTC+0", 1);
    ::tzset();
}

void hold_hangups() {
    const sigset_t hangup = only_hangup();
    static_cast<void>(::pthread_sigmask(SIG_BLOCK, &hangup, nullptr));
}

void accept_hangups() {
    const sigset_t hangup = only_hangup();
    static_cast<void>(::pthread_sigmask(SIG_UNBLOCK, &hangup, nullptr));
}

bool is_pending(int signal) {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && ::sigismember(&pending, signal) == 1;
}

bool is_end_pending() {
    return is_pending(SIGTERM) || is_pending(SIGINT);
}

std::string end_line(int signal) {
    if (signal == SIGINT) return "User quit";
    const std::string name = signal == SIGHUP ? "SIGHUP" : "SIGTERM";
    return name + " received (" + std::to_string(::getpid()) + ")";
}

void notify_service_manager(const std::string& state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    std::memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    static_cast<void>(::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), size));
    ::close(fd);
    if (state == "READY=1") ::unsetenv("NOTIFY_SOCKET");
}

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace fragmend::app
