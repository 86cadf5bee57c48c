// The disk half's values for one policy, from the options of whichever program runs.
#pragma once

#include <utility>

#include "host/swift/disk_context.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/swift_conf.hpp"

namespace fragmend::swift {

/// `options` are those of the reconstructor or of the server: both name the disk options as Swift
/// does. `clock` outlives every copy.
template <typename Options>
DiskContext policy_disk(const Options& options, const SwiftConf& conf, const Policy& policy,
                        Logger logger, const Clock& clock) {
    DiskContext disk;
    disk.devices_root = options.devices;
    disk.mount_check = options.mount_check;
    disk.reclaim_age_s = options.reclaim_age_s;
    disk.commit_window_s = options.commit_window_s;
    disk.hash_path_prefix = conf.hash_path_prefix;
    disk.hash_path_suffix = conf.hash_path_suffix;
    disk.data_dir_name = policy.data_dir();
    disk.fragment_count = policy.is_erasure_coding() ? policy.unique_fragments() : no_fragments;
    disk.logger = std::move(logger);
    disk.clock = &clock;
    return disk;
}

}  // namespace fragmend::swift
