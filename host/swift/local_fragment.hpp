// Reads a local fragment archive from disk to its end, without filling the page cache.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/diskfile.hpp"

namespace fragmend::swift {

/// A blocking reader over an open `.data` file; its caller hashes what it reads. Runs on a disk
/// thread, one at a time. What was read is dropped from the page cache every MiB.
/// Source: swift.obj.diskfile.BaseDiskFileReader.__iter__.
class LocalFragmentFile {
  public:
    LocalFragmentFile(UniqueFd fd, std::string path, std::uint64_t content_length)
        : fd_(std::move(fd)), path_(std::move(path)), content_length_(content_length) {}

    /// Fills `into` completely, or returns fewer bytes at the end of the file only.
    /// Errors: io.
    Result<std::size_t> read(ByteSpan into);

    std::uint64_t bytes_read() const { return bytes_read_; }
    /// The last `read` failed because the disk cannot give its bytes back (EIO).
    bool is_unreadable() const { return is_unreadable_; }
    std::uint64_t content_length() const { return content_length_; }
    const std::string& path() const { return path_; }

  private:
    void drop_cache();

    UniqueFd fd_;
    std::string path_;
    std::uint64_t content_length_;
    std::uint64_t bytes_read_ = 0;
    std::uint64_t bytes_dropped_ = 0;
    bool is_unreadable_ = false;
};

/// Swift's reasons for quarantining an archive that it has read.
std::string etag_mismatch_reason(std::string_view etag, std::string_view md5);
std::string length_mismatch_reason(std::uint64_t bytes_read, std::uint64_t content_length);
std::string unreadable_reason();
std::string bad_fragment_reason(std::uint64_t offset);

}  // namespace fragmend::swift
