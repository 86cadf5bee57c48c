// Listing of data directories.
#include "host/scan/collect.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/mount_check.hpp"

namespace fragmend::scan {
namespace {

/// Source: swift.common.utils.unlink_older_than, not recursive, errors ignored.
void remove_old_files(const swift::DiskContext& disk, const std::string& folder) {
    const auto listed = swift::read_directory(AT_FDCWD, folder);
    if (listed.has_error()) return;
    const double oldest = disk.clock->now().seconds() - static_cast<double>(disk.reclaim_age_s);
    for (const auto& name : listed->names) {
        struct stat info {};
        if (::fstatat(listed->fd.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (S_ISDIR(info.st_mode) || static_cast<double>(info.st_mtim.tv_sec) >= oldest) continue;
        static_cast<void>(::unlinkat(listed->fd.get(), name.c_str(), 0));
    }
}

bool is_auditor_status(const std::string& name) {
    return name.starts_with("auditor_status_") && name.ends_with(".json");
}

template <typename List, typename Value>
bool passes(const List& list, const Value& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

class Collector {
  public:
    Collector(const swift::DiskContext& disk, const swift::Policy& policy, const swift::Ring& ring,
              const CollectOptions& options)
        : disk_(disk), policy_(policy), ring_(ring), options_(options) {}

    void device(const Node& node) {
        if (!passes(options_.devices, node.device)) return;
        ++found_.devices;
        if (swift::check_device(disk_, node.device).has_error()) {
            disk_.logger.warning(node.device + " is not mounted");
            ++found_.devices_unmounted;
            return;
        }
        const auto device_path = disk_.device_path(node.device);
        const auto data_path = device_path + "/" + disk_.data_dir_name;
        remove_old_files(disk_, device_path + "/" + policy_.tmp_dir());
        const auto listed = swift::read_directory(AT_FDCWD, data_path);
        if (listed.has_error()) {
            if (listed.error().number == ENOENT) return make_data_directory(data_path);
            ++found_.devices_failed;
            disk_.logger.error("Unable to list partitions in '" + data_path +
                               "': " + std::generic_category().message(listed.error().number));
            return;
        }
        found_.entries += listed->names.size();
        for (const auto& name : listed->names)
            entry(node, data_path, name);
    }

    Collected take() { return std::move(found_); }

  private:
    void make_data_directory(const std::string& path) {
        const auto made = swift::make_directories(path);
        if (made.has_error())
            disk_.logger.error("Unable to create " + path + ": " + made.error().detail);
    }

    void entry(const Node& node, const std::string& data_path, const std::string& name) {
        if (is_auditor_status(name)) return;
        const auto path = data_path + "/" + name;
        const auto number = parse_digits(name);
        if (!number || *number >= ring_.partition_count() || std::to_string(*number) != name) {
            disk_.logger.warning("Unexpected entity in data dir: '" + path + "' (left alone)");
            return;
        }
        if (!passes(options_.partitions, *number)) return;
        const auto partition = static_cast<std::uint32_t>(*number);
        if (options_.handoffs_only && ring_.primary_index(partition, node.id)) {
            disk_.logger.debug("Skipping sync_only job for " + path +
                               " while in handoffs_only mode.");
            return;
        }
        found_.partitions.push_back({policy_.index, node, partition, name, path});
    }

    const swift::DiskContext& disk_;
    const swift::Policy& policy_;
    const swift::Ring& ring_;
    const CollectOptions& options_;
    Collected found_;
};

}  // namespace

Collected collect_partitions(const swift::DiskContext& disk, const swift::Policy& policy,
                             const swift::Ring& ring, const std::vector<Node>& local_devices,
                             const CollectOptions& options) {
    if (ring.next_part_power()) {
        disk.logger.warning("next_part_power set in policy '" + policy.name + "'. Skipping");
        return {};
    }
    Collector collector(disk, policy, ring, options);
    for (const Node& node : local_devices)
        collector.device(node);
    return collector.take();
}

}  // namespace fragmend::scan
