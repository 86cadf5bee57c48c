// Finds the partitions of one policy on this node's devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/scan/jobs.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring.hpp"

namespace fragmend::scan {

struct CollectOptions {
    std::vector<std::string> devices;       ///< Empty: all local devices.
    std::vector<std::uint64_t> partitions;  ///< Empty: all.
    bool handoffs_only = false;
};

struct Collected {
    std::vector<Partition> partitions;
    std::uint64_t devices = 0;
    std::uint64_t devices_unmounted = 0;
    std::uint64_t devices_failed = 0;  ///< Mounted, and their partitions could not be listed.
    std::uint64_t entries = 0;  ///< In all data directories, Swift's count of partitions.
};

/// Looks through `local_devices` (of `ring`, for `policy`): what is not mounted is named and
/// skipped, a missing data directory is made, old files in the temporary directory are removed.
/// Entries that are neither partitions nor the auditor's are named and left alone (Swift deletes
/// them). Blocks: runs on a disk thread. Source:
/// swift.obj.reconstructor.ObjectReconstructor.collect_parts.
Collected collect_partitions(const swift::DiskContext& disk, const swift::Policy& policy,
                             const swift::Ring& ring, const std::vector<Node>& local_devices,
                             const CollectOptions& options);

}  // namespace fragmend::scan
