// Removing the directory of a partition that holds nothing any more.
#pragma once

#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/disk_context.hpp"

namespace fragmend::swift {

/// Removes the partition's directory, if nothing is in it but the hash files and locks that Swift
/// keeps there; true when it is gone. The caller knows from a complete listing that no suffix is
/// left; a suffix or a file that came since, or that nobody knows, keeps the directory. Takes the
/// replication lock and the hash lock of the partition first, so that neither an incoming session
/// nor a writer of hashes is at work.
/// Errors: not_mounted, lock_timeout (somebody is at work there, or was: a suffix came), io.
/// Blocks: runs on a disk
/// thread. Source: swift.obj.reconstructor.ObjectReconstructor.delete_partition, which removes
/// everything that it finds, and takes no lock.
Result<bool> remove_empty_partition(const DiskContext& context, std::string_view device,
                                    std::string_view partition);

}  // namespace fragmend::swift
