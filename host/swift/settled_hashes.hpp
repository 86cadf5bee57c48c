// The suffix hashes of a partition in which nothing has changed: one look, no lock, nothing
// written.
#pragma once

#include <optional>
#include <string_view>

#include "host/swift/disk_context.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

/// What `get_hashes` would return without hashing and without writing; nothing when it would have
/// to do either, or fail, and for policies of whole objects. Most partitions of most passes are
/// settled.
/// The hash lock guards those who write. Reading does without it: hashes.invalid is looked at
/// before hashes.pkl, and whoever consolidates puts the new pickle into place, whole, before he
/// empties the list. So an empty list means that the pickle read next knows of every invalidation
/// up to that look. One that comes later may be missed as it may be by a reader with the lock who
/// was a moment earlier; it stays in the list.
/// `list_directory` as in `HashRequest`. Runs on: a disk thread.
std::optional<PartitionHashes> settled_hashes(const DiskContext& context, std::string_view device,
                                              std::string_view partition, bool list_directory);

}  // namespace fragmend::swift
