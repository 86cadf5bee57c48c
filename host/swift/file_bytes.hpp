// One whole small file with the time of its last change, read through a single descriptor.
#pragma once

#include <cstdint>
#include <string>

#include "host/base/error.hpp"

namespace fragmend::swift {

struct FileBytes {
    std::string bytes;
    std::int64_t mtime_ns = 0;  ///< Of the file that was read, not of what the path names later.
};

/// Reads `path` whole. Errors: not_found, io, limit (more than `bytes_max`).
Result<FileBytes> read_file(const std::string& path, std::size_t bytes_max);

/// The mtime of what `path` names now, in nanoseconds. Errors: not_found, io.
Result<std::int64_t> file_mtime_ns(const std::string& path);

}  // namespace fragmend::swift
