// Removal of an empty partition.
#include "host/swift/partition_removal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "host/swift/directory.hpp"
#include "host/swift/locks.hpp"
#include "host/swift/mount_check.hpp"

namespace fragmend::swift {
namespace {

constexpr double lock_timeout_s = 0.2;

bool is_lock(const std::string& name) {
    return name == ".lock" || name == ".lock-replication";
}

/// Whoever writes hashes.pkl holds the hash lock: under it a temporary file of theirs is rubbish.
bool is_hash_file(const std::string& name) {
    constexpr std::array<std::string_view, 2> names{"hashes.pkl", "hashes.invalid"};
    return std::find(names.begin(), names.end(), name) != names.end() ||
           (name.starts_with("tmp") && name.ends_with(".tmp"));
}

Result<PathLock> lock(const PartitionPath& place, const char* name) {
    return PathLock::acquire({.directory = place.path,
                              .name = name,
                              .timeout_s = lock_timeout_s,
                              .make_directory = false});
}

}  // namespace

Result<bool> remove_empty_partition(const DiskContext& context, std::string_view device,
                                    std::string_view partition) {
    const auto mounted = check_device(context, device);
    if (!mounted) return mounted.error();
    const PartitionPath place(context, device, partition);
    const auto replication = lock(place, "replication");
    if (!replication) {
        if (replication.error() == errc::not_found) return true;
        return replication.error();
    }
    const auto hashes = lock(place, "");
    if (!hashes) return hashes.error();
    const auto listed = read_directory(AT_FDCWD, place.path);
    if (!listed) return error_from_errno(listed.error().number, "list " + place.path);
    for (const auto& name : listed->names) {
        if (is_suffix_name(name) && is_directory(place.suffix_path(name)))
            return Error{errc::lock_timeout, name + " came since, or is being filled"};
        if (!is_lock(name) && !is_hash_file(name)) return false;
    }
    context.logger.info("Removing partition: " + place.path);
    // The locks last: as long as anything else is there, they are of use.
    for (const bool locks : {false, true}) {
        for (const auto& name : listed->names) {
            if (is_lock(name) == locks) ::unlinkat(listed->fd.get(), name.c_str(), 0);
        }
    }
    if (::rmdir(place.path.c_str()) == 0 || errno == ENOENT) return true;
    if (errno == ENOTEMPTY) return false;
    return error_from_errno(errno, "rmdir " + place.path);
}

}  // namespace fragmend::swift
