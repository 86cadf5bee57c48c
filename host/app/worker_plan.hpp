// How the local devices are dealt out to worker processes.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace fragmend::app {

/// What one process takes care of.
struct Share {
    std::vector<std::string> devices;       ///< Empty: all local devices.
    std::vector<std::uint64_t> partitions;  ///< Empty: all.
    int worker_index = -1;                  ///< From 0; -1 for a process without workers.
    int worker_count = 0;

    bool is_worker() const { return worker_index >= 0; }
    /// What a worker's log lines begin with: `[worker 1/4 pid=4711] `; nothing for a single
    /// process. Source: ObjectReconstructor._emplace_log_prefix.
    std::string log_prefix(int pid) const;
};

/// One share a worker: at most `workers_max`, at most one a device; device i goes to share i mod n
/// in the order of their names. Without devices one share waits for a ring that has some.
/// `overrides` empty: all devices. Source: swift.obj.reconstructor.get_worker_args,
/// swift.common.utils.distribute_evenly.
std::vector<Share> deal_out(std::int64_t workers_max, const std::set<std::string>& local_devices,
                            const std::vector<std::string>& overrides,
                            const std::vector<std::uint64_t>& partitions);

}  // namespace fragmend::app
