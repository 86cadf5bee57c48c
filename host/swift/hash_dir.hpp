// One hash directory: which files count, and the cleanup that goes with every look at it.
#pragma once

#include <string>
#include <vector>

#include "host/swift/directory.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/ondisk_files.hpp"

namespace fragmend::swift {

/// Where a hash directory lies: `name` below the open `parent_fd`, whose path is `parent_path`.
/// With AT_FDCWD the name is looked up as `parent_path/name`.
struct HashDirPlace {
    int parent_fd;
    const std::string& parent_path;
    const std::string& name;

    std::string path() const { return parent_path + "/" + name; }
};

/// What is left in a hash directory after cleanup.
struct HashDir {
    OndiskFiles files;
    std::vector<std::string> names;  ///< Remaining, in reverse order.
};

/// How long a directory without entries may be one that a writer has just made. Swift removes such
/// a one at once, and its own PUT then fails if that falls between two of its mkdir().
inline constexpr double empty_directory_grace_s = 60;

/// True when the open directory changed less than `empty_directory_grace_s` ago. One that changed
/// in the future says nothing of its age, and is taken for old.
bool is_just_made(const DiskContext& context, int fd);

/// Selects the files, removes what is obsolete, what is past `reclaim_age` and, for non-durable
/// fragments, has lain longer than `commit_window`, and removes the directory when nothing remains;
/// one that had no entries to begin with only if it is not just made.
/// Whether objects are whole is always the policy's to say, whatever `options` hold.
/// A directory that does not exist is an empty one. Failures to unlink are ignored, as in Swift.
/// Errors: errno of opening or listing, such as ENOTDIR or ENODATA.
/// Source: swift.obj.diskfile.BaseDiskFileManager.cleanup_ondisk_files.
SystemResult<HashDir> cleanup_hash_dir(const DiskContext& context, const HashDirPlace& place,
                                       const SelectionOptions& options);

/// Names of a hash directory as the selection wants them, in reverse order.
SystemResult<Directory> read_hash_dir(const HashDirPlace& place);

/// True when `timestamp` is further back than `reclaim_age`.
bool is_reclaimable(const DiskContext& context, const Timestamp& timestamp);

/// True when `age_s` is not positive, or the file's mtime is more than `age_s` ago; false for a
/// file that cannot be looked at. Source: swift.common.utils.is_file_older.
bool is_file_older(const DiskContext& context, int parent_fd, const std::string& name,
                   double age_s);

}  // namespace fragmend::swift
