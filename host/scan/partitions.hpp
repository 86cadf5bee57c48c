// The partitions of a pass: what lies in the data directories of the local devices.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.hpp"
#include "host/base/error.hpp"
#include "host/base/log.hpp"
#include "host/base/node.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring.hpp"

namespace fragmend::scan {

/// The root directory of a local device. Errors: not_mounted, when it must not be touched.
using DeviceRoot = std::function<Result<std::string>(std::string_view device)>;

/// One policy with the ring and the local devices that this pass works with.
struct LocalPolicy {
    swift::Policy policy;
    swift::RingPtr ring;
    std::vector<Node> devices;
};

struct ScanOptions {
    std::int64_t reclaim_age_s = 604800;
    bool handoffs_only = false;               ///< Leave out partitions that belong here.
    std::set<std::string> only_devices;       ///< Empty: all.
    std::set<std::uint32_t> only_partitions;  ///< Empty: all.
};

struct Partition {
    int policy_index = 0;
    std::uint32_t number = 0;
    std::string path;
    Node device;
};

/// What a scan found. `entries` counts everything in the data directories, as Swift's totals do.
struct Scan {
    std::vector<Partition> partitions;  ///< Over all policies and devices, shuffled.
    std::uint64_t devices = 0;
    std::uint64_t entries = 0;
    std::uint64_t unexpected = 0;
};

/// Lists the partitions of all local devices. On the way it removes temporary files older than
/// `reclaim_age_s` from `tmp[-N]` and makes missing data directories. A device that is not mounted
/// or can not be listed is logged and left out, a policy whose ring changes its part power too.
/// Unlike Swift, which deletes them, entries that are no partition of the ring are only logged:
/// what we do not recognise on a disk stays.
/// Blocks on the disks.
/// Source: swift.obj.reconstructor.ObjectReconstructor.collect_parts.
Scan collect_partitions(const std::vector<LocalPolicy>& policies, const ScanOptions& options,
                        const DeviceRoot& device_root, const Clock& clock, std::mt19937_64& random,
                        const Logger& logger);

}  // namespace fragmend::scan
