// Moving damaged objects out of the way, so that they are rebuilt from their peers.
#pragma once

#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/disk_context.hpp"

namespace fragmend::swift {

/// Invalidates the suffix, and again after it renamed `from_dir` (a hash directory, a file in its
/// place, or a whole suffix) to `<device>/quarantined/<data dir>/<its name>`, with a random tail if
/// that is taken. Returns where it went. Errors: lock_timeout, not_found, io, no_space. Source:
/// swift.obj.diskfile.quarantine_renamer.
Result<std::string> quarantine_directory(const DiskContext& context, const std::string& device_path,
                                         const std::string& from_dir);

/// Quarantines the hash directory of `file_path`, logs and counts it as Swift does.
/// Returns what the caller hands on: `quarantined` with the reason, or why it could not be moved.
/// Source: swift.obj.diskfile.BaseDiskFile._quarantine.
Error quarantine_object(const DiskContext& context, const std::string& device_path,
                        const std::string& file_path, std::string_view reason);

/// For a hash directory that could not be listed: with ENOTDIR the thing itself is moved, with
/// ENODATA (a bad sector) the directory or, if that fails, the whole suffix. Returns the path that
/// was moved. Logged at ERROR.
/// Errors: those of the move; io for any other `errno_number`, which moves nothing.
/// Source: swift.obj.diskfile.BaseDiskFileManager._hash_suffix_dir.
Result<std::string> quarantine_unlistable(const DiskContext& context, const std::string& device_path,
                                   const std::string& hash_dir_path, int errno_number);

}  // namespace fragmend::swift
