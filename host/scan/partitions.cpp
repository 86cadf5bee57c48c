// The partitions of a pass: what lies in the data directories of the local devices.
#include "host/scan/partitions.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "host/base/bytes.hpp"

namespace fragmend::scan {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

struct Entry {
    std::string name;
    unsigned char type = DT_UNKNOWN;
};

std::string system_text(int number) {
    return std::generic_category().message(number);
}

// The entries of a directory without `.` and `..`; the errno when it can not be listed.
boost::system::result<std::vector<Entry>> list(const std::string& path) {
    const auto failed = [](int number) {
        return boost::system::error_code(number, boost::system::generic_category());
    };
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    if (!directory) return failed(errno);
    std::vector<Entry> entries;
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (entry == nullptr && errno != 0) return failed(errno);
        if (entry == nullptr) return entries;
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") entries.push_back({std::string(name), entry->d_type});
    }
}

// Removes regular files of a temporary directory that were last changed before `before_s`.
// Failures are of no interest: the next pass tries again. Source:
// swift.common.utils.unlink_older_than.
void remove_old_files(const std::string& path, double before_s) {
    const auto entries = list(path);
    if (!entries) return;
    for (const Entry& entry : *entries) {
        const std::string file = path + "/" + entry.name;
        struct stat status {};
        if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        const double changed_s = static_cast<double>(status.st_mtim.tv_sec) +
                                 static_cast<double>(status.st_mtim.tv_nsec) * 1e-9;
        if (changed_s < before_s) ::unlink(file.c_str());
    }
}

bool is_auditor_status(std::string_view name) {
    return name.starts_with("auditor_status_") && name.ends_with(".json");
}

// The number of a partition directory: decimal without leading zeros, and known to the ring.
std::optional<std::uint32_t> partition_number(std::string_view name, const swift::Ring& ring) {
    const auto number = parse_digits(name);
    const bool canonical = number && (name == "0" || !name.starts_with('0'));
    if (!canonical || *number >= ring.partition_count()) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

// Scans one device after another into one result.
class Scanner {
  public:
    Scanner(const ScanOptions& options, const DeviceRoot& device_root, const Clock& clock,
            const Logger& logger)
        : options_(options), device_root_(device_root), clock_(clock), logger_(logger) {}

    void scan_policy(const LocalPolicy& local) {
        if (local.ring->next_part_power()) {
            logger_.warning("next_part_power set in policy '" + local.policy.name + "'. Skipping");
            return;
        }
        for (const Node& device : local.devices) {
            const auto& only = options_.only_devices;
            if (!only.empty() && !only.contains(device.device)) continue;
            scan_device(local, device);
        }
    }

    Scan take() { return std::move(scan_); }

  private:
    void scan_device(const LocalPolicy& local, const Node& device) {
        ++scan_.devices;
        const auto root = device_root_(device.device);
        if (!root) {
            logger_.warning(device.device + " is not mounted");
            return;
        }
        remove_old_files(*root + "/" + local.policy.tmp_dir(),
                         clock_.now().seconds() - static_cast<double>(options_.reclaim_age_s));
        const std::string data_dir = *root + "/" + local.policy.data_dir();
        const auto entries = list(data_dir);
        if (!entries && entries.error() == boost::system::errc::no_such_file_or_directory) {
            std::error_code failed;
            std::filesystem::create_directories(data_dir, failed);
            if (failed) logger_.error("Unable to create " + data_dir + ": " + failed.message());
            return;
        }
        if (!entries) {
            logger_.error("Unable to list partitions in '" + data_dir +
                          "': " + system_text(entries.error().value()));
            return;
        }
        scan_.entries += entries->size();
        for (const Entry& entry : *entries)
            scan_entry(local, device, data_dir, entry);
    }

    void scan_entry(const LocalPolicy& local, const Node& device, const std::string& data_dir,
                    const Entry& entry) {
        if (is_auditor_status(entry.name)) return;
        const std::string path = data_dir + "/" + entry.name;
        const auto number = partition_number(entry.name, *local.ring);
        if (!number) {
            ++scan_.unexpected;
            logger_.warning("Unexpected entity in data dir: '" + path + "'");
            return;
        }
        if (entry.type != DT_DIR && entry.type != DT_UNKNOWN) {
            ++scan_.unexpected;
            logger_.warning("Unexpected entity '" + path + "' is not a directory");
            return;
        }
        const auto& only = options_.only_partitions;
        if (!only.empty() && !only.contains(*number)) return;
        if (options_.handoffs_only && local.ring->primary_index(*number, device.id)) {
            logger_.debug("Skipping sync_only job for " + path + " while in handoffs_only mode.");
            return;
        }
        scan_.partitions.push_back({local.policy.index, *number, path, device});
    }

    const ScanOptions& options_;
    const DeviceRoot& device_root_;
    const Clock& clock_;
    const Logger& logger_;
    Scan scan_;
};

}  // namespace

Scan collect_partitions(const std::vector<LocalPolicy>& policies, const ScanOptions& options,
                        const DeviceRoot& device_root, const Clock& clock, std::mt19937_64& random,
                        const Logger& logger) {
    Scanner scanner(options, device_root, clock, logger);
    for (const LocalPolicy& local : policies)
        scanner.scan_policy(local);
    Scan scan = scanner.take();
    std::shuffle(scan.partitions.begin(), scan.partitions.end(), random);
    return scan;
}

}  // namespace fragmend::scan
