// What an SSYNC sender makes of the bytes that the receiver sends: the decisions, without a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "transport/http/chunked.hpp"
#include "transport/ssync/line_reader.hpp"
#include "transport/ssync/offer.hpp"

namespace fragmend::transport::ssync {

/// The receiving half of a session: chunks, lines, and what each line means at its moment.
/// The protocol is strictly one side at a time, so a line that comes while we still write can only
/// be the receiver's reason to stop; it becomes the session's error. Fed by the driver from one
/// reader; sans-I/O. Source: swift.obj.ssync_sender.Sender.missing_check, updates.
class Conversation {
  public:
    enum class Phase : std::uint8_t {
        offering,      ///< We write offers; nothing but blank lines may come.
        wanted_start,  ///< We wait for the answer to begin.
        wanted_lines,  ///< The wanted list comes.
        updating,      ///< We write sub-requests; nothing may come.
        result_start,  ///< We wait for the verdict to begin.
        result_lines,
        done,
        failed
    };

    Conversation();

    /// To be called before the last offer can reach the receiver. `offered` bounds the answer.
    void offers_ended(std::uint64_t offered);
    /// To be called before the end of the updates can reach the receiver.
    void updates_ended();

    /// Bytes that followed the response head.
    void feed(ByteView bytes);
    /// The receiver ended its side.
    void peer_closed();

    Phase phase() const { return phase_; }
    bool failed() const { return phase_ == Phase::failed; }
    /// The receiver had all updates before it said what it thinks of them, well or not: one that
    /// refuses some has taken the others. Not while somebody else holds its lock.
    bool judged() const { return judged_; }
    /// What the receiver said or did, in Swift's words. Only when failed.
    const Error& error() const;
    /// Lines seen so far, blank ones included: as long as it moves, the receiver is alive.
    std::uint64_t lines() const { return lines_; }
    /// The wanted list in the order in which hashes first appeared. Once, when it is complete.
    std::vector<Wanted> take_wanted();

  private:
    void take_line(std::string_view line);
    void take_wanted_line(std::string_view line);
    void fail(Error error);
    void unexpected(std::string_view line);

    Phase phase_ = Phase::offering;
    http::ChunkDecoder chunks_;
    LineReader reader_;
    std::uint64_t lines_ = 0;
    std::uint64_t offered_ = 0;
    std::uint64_t wanted_lines_ = 0;
    std::vector<Wanted> wanted_;  ///< A line each.
    Error error_;
    bool judged_ = false;
};

}  // namespace fragmend::transport::ssync
