// Reading and checking archives.
#include "host/server/archive_reader.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/swift/local_fragment.hpp"
#include "host/swift/quarantine.hpp"

namespace fragmend::server {
namespace {

constexpr std::uint64_t drop_cache_window_bytes = 1 << 20;

}  // namespace

ArchiveReader::ArchiveReader(const PolicyStore& store, const FragmentAudit* audit,
                             std::string device_path, swift::OpenObject object, Options options)
    : store_(store),
      audit_(audit),
      device_path_(std::move(device_path)),
      object_(std::move(object)),
      options_(options),
      buffer_(static_cast<std::size_t>(
          std::min<std::uint64_t>(options.piece_bytes, object_.content_length))) {}

void ArchiveReader::start(ByteRange range) {
    FRAGMEND_ASSERT(range.begin <= range.end && range.end <= object_.content_length);
    range_ = range;
    position_ = cached_from_ = range.begin;
    checks_ = options_.checks && range.begin == 0;
    md5_.reset();
    fragment_.clear();
    fragment_at_ = 0;
}

Result<ByteView> ArchiveReader::next() {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), range_.end - position_));
    std::size_t filled = 0;
    while (filled < wanted) {
        const ssize_t got = ::pread(object_.fd.get(), buffer_.data() + filled, wanted - filled,
                                    static_cast<off_t>(position_ + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            const int number = errno;
            if (number == EIO) return quarantine(std::strerror(number));
            return error_from_errno(number, "read " + object_.data_path);
        }
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    const ByteView piece(buffer_.data(), filled);
    position_ += filled;
    if (filled < wanted) {
        return quarantine(swift::length_mismatch_reason(position_, object_.content_length));
    }
    if (checks_) {
        auto checked = check(piece);
        if (checked.has_error()) return checked.error();
    }
    drop_cache(position_ == range_.end);
    return piece;
}

Result<std::uint64_t> ArchiveReader::send(int socket) {
    FRAGMEND_ASSERT(may_send());
    const std::uint64_t began = position_;
    while (position_ < range_.end) {
        auto from = static_cast<off_t>(position_);
        const ssize_t sent = ::sendfile(socket, object_.fd.get(), &from,
                                        static_cast<std::size_t>(range_.end - position_));
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) {
            const int number = errno;
            if (number == EIO) return quarantine(std::strerror(number));
            if (number == EPIPE || number == ECONNRESET) {
                return Error{errc::disconnected, std::strerror(number)};
            }
            return error_from_errno(number, "send " + object_.data_path);
        }
        if (sent == 0) {
            return quarantine(swift::length_mismatch_reason(position_, object_.content_length));
        }
        position_ += static_cast<std::uint64_t>(sent);
    }
    drop_cache(position_ == range_.end);
    return position_ - began;
}

Result<void> ArchiveReader::check(ByteView piece) {
    md5_.update(piece);
    const std::size_t whole = audit_ == nullptr ? 0 : store_.fragment_bytes;
    while (whole > 0 && !piece.empty()) {
        const auto part = std::min(piece.size(), whole - fragment_.size());
        fragment_.insert(fragment_.end(), piece.begin(),
                         piece.begin() + static_cast<std::ptrdiff_t>(part));
        piece = piece.subspan(part);
        if (fragment_.size() < whole) break;
        if (!audit_->is_good(fragment_))
            return quarantine(swift::bad_fragment_reason(fragment_at_));
        fragment_at_ += whole;
        fragment_.clear();
    }
    if (position_ == object_.content_length) return check_end();
    return {};
}

Result<void> ArchiveReader::check_end() {
    const auto etag = object_.effective.text("ETag").value_or("");
    const std::string md5 = md5_.finish_hex();
    if (md5 != etag) return quarantine(swift::etag_mismatch_reason(etag, md5));
    if (!fragment_.empty() && !audit_->is_good(fragment_)) {
        return quarantine(swift::bad_fragment_reason(fragment_at_));
    }
    return {};
}

Error ArchiveReader::quarantine(std::string_view reason) {
    return swift::quarantine_object(store_.disk, device_path_, object_.data_path, reason);
}

void ArchiveReader::drop_cache(bool all) {
    if (options_.keep_cache) return;
    if (!all && position_ - cached_from_ <= drop_cache_window_bytes) return;
    ::posix_fadvise(object_.fd.get(), static_cast<off_t>(cached_from_),
                    static_cast<off_t>(position_ - cached_from_), POSIX_FADV_DONTNEED);
    cached_from_ = position_;
}

}  // namespace fragmend::server
