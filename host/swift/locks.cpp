// The places where Swift locks, and its message.
#include "host/swift/locks.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace fragmend::swift {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

std::string python_seconds(double seconds) {
    char text[32];
    const bool whole = std::floor(seconds) == seconds && std::abs(seconds) < 1e15;
    const auto end =
        whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(seconds)).ptr
              : std::to_chars(text, text + sizeof text, seconds).ptr;
    return std::string(text, end) + (seconds == 1 ? " second" : " seconds");
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
