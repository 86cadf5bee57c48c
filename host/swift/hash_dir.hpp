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
    bool is_just_made = false;       ///< It was left, though there is nothing in it.
};

/// How long a directory that never held anything may be one that a writer has just made. Swift
/// removes such a one at once, and its own PUT then fails if that falls between two of its mkdir().
inline constexpr double unused_directory_grace_s = 60;

/// True when the open directory is younger than `unused_directory_grace_s` and has not changed
/// since it was made. False where the file system does not know when that was.
bool is_just_made(const DiskContext& context, int fd);

/// Selects the files, removes what is obsolete, what is past `reclaim_age` and, for non-durable
/// fragments, has lain longer than `commit_window`, and removes the directory when nothing remains
/// and it is not just made.
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
