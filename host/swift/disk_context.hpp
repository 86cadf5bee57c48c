// What every function of the disk half needs to know about a policy on this node.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "host/swift/disk_groups.hpp"
#include "host/swift/hashes_types.hpp"
#include "host/swift/ondisk_names.hpp"

namespace fragmend::swift {

/// Values from configuration and policy, instead of globals. One per policy; cheap to copy; read by
/// many disk threads at once and changed by none.
/// `clock` and `quarantine_count` are owned by host/app and outlive every copy.
struct DiskContext {
    std::string devices_root = "/srv/node";
    bool mount_check = true;
    std::int64_t reclaim_age_s = 604800;
    double commit_window_s = 60.0;
    std::string hash_path_prefix;
    std::string hash_path_suffix;
    std::string data_dir_name = "objects";  ///< `objects` or `objects-<policy index>`.
    /// Unique fragments of the policy, k + m; or `no_fragments`.
    int fragment_count = any_fragment_count;
    Logger logger{nullptr, LogLevel::critical};
    const Clock* clock = nullptr;
    std::atomic<std::uint64_t>* quarantine_count = nullptr;               ///< Counted when set.
    std::shared_ptr<DiskGroups> groups = std::make_shared<DiskGroups>();  ///< Of all copies.

    bool has_whole_objects() const { return fragment_count == no_fragments; }
    SuffixForm suffix_form() const {
        return has_whole_objects() ? SuffixForm::whole : SuffixForm::by_index;
    }
    std::string device_path(std::string_view device) const {
        return devices_root + "/" + std::string(device);
    }
};

/// `<devices>/<device>/<data dir>/<partition>` and what lies above and below it.
struct PartitionPath {
    std::string device_path;
    std::string path;

    PartitionPath(const DiskContext& context, std::string_view device, std::string_view partition)
        : device_path(context.device_path(device)),
          path(device_path + "/" + context.data_dir_name + "/" + std::string(partition)) {}
    std::string suffix_path(std::string_view suffix) const {
        return path + "/" + std::string(suffix);
    }
};

}  // namespace fragmend::swift
