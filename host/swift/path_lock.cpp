// Waiting for a flock with Swift's file names and back-off.
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "host/swift/directory.hpp"
#include "host/swift/locks.hpp"

namespace fragmend::swift {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double first_sleep_s = 0.01;
constexpr double slow_part = 0.01;
constexpr mode_t lock_file_mode = 0777;

std::string lock_path_of(const LockRequest& request) {
    std::string path = request.directory + "/.lock";
    if (!request.name.empty()) path += "-" + request.name;
    return path;
}

/// True when one of the files could be locked, an error for anything but contention.
Result<bool> try_any(const std::vector<UniqueFd>& fds, const std::string& path) {
    for (const auto& fd : fds) {
        if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) return error_from_errno(errno, "flock " + path);
    }
    return false;
}

}  // namespace

Result<PathLock> PathLock::acquire(const LockRequest& request) {
    FRAGMEND_ASSERT(request.holders_max >= 1);
    if (request.make_directory) {
        const auto made = make_directories(request.directory);
        if (!made) return made.error();
    }
    PathLock lock;
    const std::string path = lock_path_of(request);
    for (unsigned i = 0; i < request.holders_max; ++i) {
        const std::string file = i == 0 ? path : path + "-" + std::to_string(i);
        UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, lock_file_mode));
        if (!fd.valid()) return error_from_errno(errno, "open " + file);
        lock.fds_.push_back(std::move(fd));
    }
    const auto give_up = std::chrono::steady_clock::now() + Seconds(request.timeout_s);
    const double slower = std::max(request.timeout_s * slow_part, first_sleep_s);
    double slept = 0;
    for (;;) {
        const auto taken = try_any(lock.fds_, path);
        if (!taken) return taken.error();
        if (*taken) return lock;
        const double left = Seconds(give_up - std::chrono::steady_clock::now()).count();
        if (left <= 0) {
            return Error{errc::lock_timeout, python_seconds(request.timeout_s) + ": " + path};
        }
        const double pause = slept > request.timeout_s * slow_part ? slower : first_sleep_s;
        std::this_thread::sleep_for(Seconds(std::min(pause, left)));
        slept += pause;
    }
}

}  // namespace fragmend::swift
