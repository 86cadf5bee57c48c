// What the bytes of an SSYNC sender mean to the receiver: the decisions, without a socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "transport/ssync/receiver_lines.hpp"

namespace fragmend::transport::ssync {

/// The receiving half of a session: lines and bodies out of a body whose framing is already gone,
/// however its bytes are cut. Driven by `Receiver`; sans-I/O. After `failed` or `hung_up` it must
/// not be fed again. Source: swift.obj.ssync_receiver.Receiver.missing_check, updates.
class Reception {
  public:
    enum class Kind : std::uint8_t {
        more,         ///< All input is used up.
        offer,        ///< One line of the missing check.
        offers_end,   ///< The sender waits for what is wanted.
        request,      ///< The head of a sub-request; its body follows.
        body,         ///< Some of that body.
        request_end,  ///< All of it came.
        updates_end,  ///< The sender waits for the verdict.
        hung_up,      ///< The sender has left at a place where it may.
        failed        ///< See `error`.
    };
    struct Event {
        Kind kind = Kind::more;
        Offer offer;
        SubRequestHead request;
        ByteView body;  ///< A view of the input.
    };

    /// A longer line than `line_bytes_max` (network_chunk_size) ends the session; so do more than
    /// `offers_max` offers.
    Reception(std::size_t line_bytes_max, std::uint64_t offers_max)
        : line_bytes_max_(line_bytes_max), offers_max_(offers_max) {}

    /// Takes from the front of `input` what makes the next event.
    Event next(ByteView& input);
    /// The sender's side has ended as it should end. Gives `hung_up` or `failed`.
    Event end();

    /// What is being waited for, in Swift's words for a timeout.
    std::string_view stage() const;
    /// Errors: protocol, limit. In words for the sender.
    const Error& error() const { return error_; }
    std::uint64_t offers() const { return offers_; }

  private:
    enum class State : std::uint8_t {
        missing_start,
        offers,
        updates_start,
        updates,
        head,
        body,
        body_over,
        over
    };
    /// One raw line, its end included; nothing while it is incomplete.
    bool take_line(ByteView& input);
    Event take(std::string_view raw);
    Event take_offer(std::string_view line);
    Event take_head_line(std::string_view line);
    Event expect_start(std::string_view raw, std::string_view start, State then);
    Event fail(Error error);

    std::size_t line_bytes_max_;
    std::uint64_t offers_max_;
    State state_ = State::missing_start;
    std::string line_;
    bool line_whole_ = false;
    std::uint64_t offers_ = 0;
    SubRequestHeadReader head_;
    std::string request_name_;
    std::uint64_t left_ = 0;  ///< Of a body.
    Error error_;
};

}  // namespace fragmend::transport::ssync
