// Swift's lock files: one primitive and the places it is used.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

struct LockRequest {
    std::string directory;
    std::string name;  ///< `.lock` or `.lock-<name>`.
    double timeout_s = hash_lock_timeout_s;
    unsigned holders_max = 1;  ///< `.lock`, `.lock-1`, ...: any free one will do.
    bool make_directory = true;
};

/// A held flock, given back on destruction. Each holder opens its own descriptors, so that threads
/// of one process exclude each other as processes do. The files stay. Runs on a disk thread: it
/// sleeps between tries, 10 ms at first, then 1 % of the timeout. Source:
/// swift.common.utils.lock_path, _get_any_lock.
class PathLock {
  public:
    /// Errors: lock_timeout (`<seconds> seconds: <path>`, Swift's text), not_found, io, no_space.
    static Result<PathLock> acquire(const LockRequest& request);
    void release() { fds_.clear(); }

  private:
    std::vector<UniqueFd> fds_;
};

/// Guards hashes.pkl and hashes.invalid of a partition. Innermost and short.
Result<PathLock> lock_hashes(const std::string& partition_path, bool make_directory,
                             double timeout_s = hash_lock_timeout_s);

/// Held by an incoming SSYNC and by a revert until its purge is done.
/// Source: swift.obj.diskfile.BaseDiskFileManager.partition_lock.
Result<PathLock> lock_partition_replication(const PartitionPath& partition, double timeout_s);

/// What an incoming SSYNC holds; the device part is absent when the limit is 0.
struct ReplicationLock {
    PathLock partition;
    std::optional<PathLock> device;
};

/// Partition first, then device, on one budget.
/// Source: swift.obj.diskfile.BaseDiskFileManager.replication_lock.
Result<ReplicationLock> lock_replication(const DiskContext& context, const PartitionPath& partition,
                                         double timeout_s, unsigned sessions_per_device_max);

/// `15 seconds`, `1 second`, `0.2 seconds`: a duration as Swift's timeouts print it.
std::string python_seconds(double seconds);

}  // namespace fragmend::swift
