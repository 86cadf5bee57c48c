// Metadata in the extended attributes of a file.
#pragma once

#include <cstddef>
#include <string>

#include "host/base/error.hpp"
#include "host/swift/metadata.hpp"

namespace fragmend::swift {

inline constexpr std::size_t xattr_chunk_bytes = 65536;

/// Reads and checks the metadata of an open file (`path` only names it), or of the file at `path`.
/// Errors: not_found; not_mounted when the file system has no xattrs, which Swift treats like a
/// missing device; io; bad_metadata or bad_pickle when what is stored is absent, damaged or fails
/// its checksum, with Swift's wording where it has one.
/// Source: swift.obj.diskfile.read_metadata.
Result<Metadata> read_metadata(int fd, const std::string& path);
Result<Metadata> read_metadata(const std::string& path);

/// Whether the open file has any of it, damaged or not; false where the file system has no xattrs.
/// Errors: io.
Result<bool> has_metadata(int fd, const std::string& path);

/// Stores `metadata` in chunks of `chunk_bytes`, then its checksum.
/// Errors: not_mounted (no xattrs), no_space, io.
/// Source: swift.obj.diskfile.write_metadata.
Result<void> write_metadata(int fd, const std::string& path, const Metadata& metadata,
                            std::size_t chunk_bytes = xattr_chunk_bytes);

}  // namespace fragmend::swift
