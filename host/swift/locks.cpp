// flock with Swift's file names, back-off and messages.
#include "host/swift/locks.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <thread>

#include "host/swift/directory.hpp"

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

std::string python_seconds(double seconds) {
    char text[32];
    const bool whole = std::floor(seconds) == seconds && std::abs(seconds) < 1e15;
    const auto end =
        whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(seconds)).ptr
              : std::to_chars(text, text + sizeof text, seconds).ptr;
    return std::string(text, end) + (seconds == 1 ? " second" : " seconds");
}

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

Result<PathLock> lock_hashes(const std::string& partition_path, bool make_directory,
                             double timeout_s) {
    return PathLock::acquire({.directory = partition_path,
                              .name = {},
                              .timeout_s = timeout_s,
                              .make_directory = make_directory});
}

Result<PathLock> lock_partition_replication(const PartitionPath& partition, double timeout_s) {
    return PathLock::acquire(
        {.directory = partition.path, .name = "replication", .timeout_s = timeout_s});
}

Result<ReplicationLock> lock_replication(const DiskContext& context, const PartitionPath& partition,
                                         double timeout_s, unsigned sessions_per_device_max) {
    const auto started = context.clock->steady();
    auto partition_lock = lock_partition_replication(partition, timeout_s);
    if (!partition_lock) return partition_lock.error();
    ReplicationLock lock;
    lock.partition = std::move(*partition_lock);
    if (sessions_per_device_max > 0) {
        const double spent = Seconds(context.clock->steady() - started).count();
        auto device_lock = PathLock::acquire({.directory = partition.device_path,
                                              .name = {},
                                              .timeout_s = std::max(0.0, timeout_s - spent),
                                              .holders_max = sessions_per_device_max});
        if (!device_lock) return device_lock.error();
        lock.device = std::move(*device_lock);
    }
    return lock;
}

}  // namespace fragmend::swift
