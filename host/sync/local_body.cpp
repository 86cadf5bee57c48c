// Reading and checking of the archive that is sent.
#include "host/sync/local_body.hpp"

#include <algorithm>

namespace fragmend::sync {

LocalBody::LocalBody(Services& services, swift::LocalFragmentFile file, std::string md5,
                     scheduler::MemoryBudget::Permit permit, BodyOutcome& outcome,
                     Activity& activity, Pacer& pacer, scheduler::Endpoint target,
                     const bool& stopped)
    : services_(services),
      file_(std::move(file)),
      expected_md5_(std::move(md5)),
      permit_(std::move(permit)),
      outcome_(outcome),
      activity_(activity),
      pacer_(pacer),
      target_(std::move(target)),
      stopped_(stopped) {
    const auto bytes = std::min<std::uint64_t>(file_.content_length(), piece_bytes_max);
    if (bytes > 0) piece_ = services_.buffers.lease(static_cast<std::size_t>(bytes));
}

Awaitable<Result<ByteView>> LocalBody::next() {
    activity_.moved();
    sending_.reset();
    const scheduler::WaitTimer timer(services_.clock, services_.rebuild_stats.wait_of_session);
    if (stopped_) co_return Error{errc::cancelled, "nobody wants it any more"};
    auto rested = co_await pacer_.rest(stopped_);
    if (rested.has_error()) co_return rested.error();
    auto piece = co_await read();
    activity_.moved();
    if (piece.has_error())
        outcome_.error = piece.error();
    else if (piece->empty())
        outcome_.complete = true;
    scheduler::Throttle* throttle = services_.throttle;
    if (piece.has_error() || piece->empty()) co_return piece;
    if (throttle != nullptr && throttle->limits_sending()) {
        scheduler::Endpoint to = target_;
        auto passed = co_await throttle->send(std::move(to), piece->size(), stopped_);
        if (passed.has_error()) co_return passed.error();
        activity_.moved();
    }
    sending_.emplace(services_.clock, services_.rebuild_stats.wait_for_target);
    co_return piece;
}

Awaitable<Result<ByteView>> LocalBody::read() {
    const scheduler::WaitTimer timer(services_.clock, services_.rebuild_stats.wait_for_open);
    auto read = [this] { return read_piece(); };
    co_return co_await on_disk(services_, std::move(read));
}

Result<ByteView> LocalBody::read_piece() {
    const std::uint64_t left = file_.content_length() - file_.bytes_read();
    ByteView piece;
    if (left > 0) {
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_bytes_max));
        const auto got = file_.read(piece_.bytes().first(bytes));
        if (got.has_error()) return got.error();
        piece = ByteView(piece_.bytes()).first(*got);
        md5_.update(piece);
        if (*got < bytes) {
            return Error{errc::bad_fragment,
                         swift::length_mismatch_reason(file_.bytes_read(), file_.content_length())};
        }
    }
    const bool is_short = file_.content_length() <= piece_bytes_max;
    if (file_.bytes_read() == file_.content_length() && (is_short || piece.empty())) {
        if (const auto right = check_end(); right.has_error()) return right.error();
    }
    return piece;
}

Result<void> LocalBody::check_end() {
    if (checked_) return {};
    checked_ = true;
    const auto found = md5_.finish_hex();
    if (found == expected_md5_) return {};
    return Error{errc::bad_fragment, swift::etag_mismatch_reason(expected_md5_, found)};
}

}  // namespace fragmend::sync
