// The ring of one policy on disk, loaded again when the file changes.
#include "host/swift/ring_file.hpp"

#include <utility>

#include "host/swift/file_bytes.hpp"
#include "host/swift/ring_decode.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t packed_bytes_max = 1u << 30;

}  // namespace

RingFile::RingFile(const std::string& swift_dir, Policy policy, Logger logger)
    : path_(swift_dir + "/" + policy.ring_file_name()),
      policy_(std::move(policy)),
      logger_(std::move(logger)) {}

// Remembers the mtime even of a file that it refuses, so that it is read only once.
Result<RingPtr> RingFile::read() {
    const auto file = read_file(path_, packed_bytes_max);
    if (!file) return file.error();
    mtime_ns_ = file->mtime_ns;
    auto ring = decode_ring(as_bytes_view(file->bytes));
    if (!ring) return Error{errc::bad_ring, path_ + ": " + ring.error().detail};
    const auto fits = (*ring)->check_fits(policy_);
    if (!fits) return Error{errc::bad_ring, path_ + ": " + fits.error().detail};
    return ring;
}

Result<RingPtr> RingFile::load(Instant now) {
    const std::lock_guard lock(mutex_);
    next_check_ = now + check_interval;
    auto ring = read();
    if (ring) keep(*ring);
    return ring;
}

void RingFile::keep(RingPtr ring) {
    const std::lock_guard lock(ring_mutex_);
    ring_ = std::move(ring);
}

RingPtr RingFile::known() const {
    const std::lock_guard lock(ring_mutex_);
    FRAGMEND_ASSERT(ring_ != nullptr);
    return ring_;
}

RingPtr RingFile::current(Instant now) {
    const std::lock_guard lock(mutex_);
    FRAGMEND_ASSERT(ring_ != nullptr);
    return now <= next_check_ ? ring_ : look(now);
}

RingPtr RingFile::newest(Instant now) {
    const std::lock_guard lock(mutex_);
    FRAGMEND_ASSERT(ring_ != nullptr);
    return look(now);
}

RingPtr RingFile::look(Instant now) {
    next_check_ = now + check_interval;
    const auto mtime_ns = file_mtime_ns(path_);
    if (!mtime_ns) {
        if (!missing_reported_) logger_.error("Keeping the old ring: " + mtime_ns.error().detail);
        missing_reported_ = true;
        return ring_;
    }
    missing_reported_ = false;
    if (*mtime_ns == mtime_ns_) {
        unreadable_mtime_ns_.reset();
        return ring_;
    }
    const bool is_reported = unreadable_mtime_ns_ == *mtime_ns;
    auto ring = read();
    const bool is_unreadable = !ring && ring.error() != errc::bad_ring;
    if (ring) {
        keep(std::move(*ring));
    } else if (!is_unreadable || !is_reported) {
        logger_.error("Keeping the old ring: " + ring.error().detail);
    }
    unreadable_mtime_ns_ = is_unreadable ? mtime_ns.value() : std::optional<std::int64_t>();
    return ring_;
}

Result<bool> RingFile::has_changed() const {
    const std::lock_guard lock(mutex_);
    const auto mtime_ns = file_mtime_ns(path_);
    if (!mtime_ns) return mtime_ns.error();
    return *mtime_ns != mtime_ns_ && *mtime_ns != unreadable_mtime_ns_;
}

}  // namespace fragmend::swift
