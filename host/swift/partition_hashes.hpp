// The suffix hashes of a partition, kept up to date beside Swift's own processes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

struct HashRequest {
    /// Suffixes to hash again whatever is stored.
    std::vector<std::string> recalculate;
    /// Looks for suffixes that hashes.pkl does not know.
    bool list_directory = false;
    /// The caller asked a moment ago and was told what fails: that is not said again.
    bool is_second_look = false;
};

/// What `get_hashes` found. `{}` as a suffix hash: the directory is there, and nothing in it
/// counts.
struct HashedPartition {
    PartitionHashes hashes;
    /// Suffixes that exist and could not be hashed (and were logged, at a first look). They are
    /// absent from `hashes`: while there are any, nobody may conclude that the partition is empty.
    std::vector<std::string> failed;
    std::size_t hashed = 0;  ///< Suffixes hashed in this call.
};

/// Brings hashes.pkl up to date and returns it. Writes only if nobody else wrote since it was read,
/// otherwise starts over; does not write when nothing changed (Swift rewrites the same content
/// after each listing). Names in the partition that are no suffixes are left alone, but for a new
/// hashes.pkl that was never finished and is older than `reclaim_age`. Runs on: a disk thread;
/// blocks on the hash lock. Errors: not_mounted, not_found (no such partition), bad_name (it is not
/// a directory), io, no_space, lock_timeout, limit (too many others writing). Never an empty result
/// in their place. Source: swift.obj.diskfile.BaseDiskFileManager._get_hashes.
Result<HashedPartition> get_hashes(const DiskContext& context, std::string_view device,
                                   std::string_view partition, const HashRequest& request);

/// The same without trying `settled_hashes` first: for whoever has tried.
Result<HashedPartition> update_hashes(const DiskContext& context, std::string_view device,
                                      std::string_view partition, const HashRequest& request);

}  // namespace fragmend::swift
