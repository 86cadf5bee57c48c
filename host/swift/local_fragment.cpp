// pread and fadvise over a fragment archive.
#include "host/swift/local_fragment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace fragmend::swift {
namespace {

constexpr std::uint64_t drop_cache_window_bytes = 1 << 20;

}  // namespace

Result<std::size_t> LocalFragmentFile::read(ByteSpan into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const ssize_t got = ::pread(fd_.get(), into.data() + filled, into.size() - filled,
                                    static_cast<off_t>(bytes_read_));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            is_unreadable_ = errno == EIO;
            return error_from_errno(errno, "read " + path_);
        }
        if (got == 0) {
            drop_cache();
            break;
        }
        filled += static_cast<std::size_t>(got);
        bytes_read_ += static_cast<std::uint64_t>(got);
        if (bytes_read_ - bytes_dropped_ > drop_cache_window_bytes) drop_cache();
    }
    return filled;
}

void LocalFragmentFile::drop_cache() {
    ::posix_fadvise(fd_.get(), static_cast<off_t>(bytes_dropped_),
                    static_cast<off_t>(bytes_read_ - bytes_dropped_), POSIX_FADV_DONTNEED);
    bytes_dropped_ = bytes_read_;
}

std::string etag_mismatch_reason(std::string_view etag, std::string_view md5) {
    return "ETag " + std::string(etag) + " and file's md5 " + std::string(md5) + " do not match";
}

std::string length_mismatch_reason(std::uint64_t bytes_read, std::uint64_t content_length) {
    return "Bytes read: " + std::to_string(bytes_read) +
           ", does not match metadata: " + std::to_string(content_length);
}

std::string unreadable_reason() {
    return "[Errno " + std::to_string(EIO) + "] " + std::generic_category().message(EIO);
}

std::string bad_fragment_reason(std::uint64_t offset) {
    char text[48];
    const int length = std::snprintf(text, sizeof text, "Invalid EC metadata at offset 0x%llx",
                                     static_cast<unsigned long long>(offset));
    return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace fragmend::swift
