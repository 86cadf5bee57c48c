// What an SSYNC sender session needs from its surroundings: offers to make, sub-requests to send.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/bytes.hpp"
#include "transport/ssync/offer.hpp"

namespace fragmend::transport::ssync {

/// The bytes of one PUT, in order. Destroying it early cancels what feeds it.
class BodyStream {
  public:
    virtual ~BodyStream() = default;
    /// The next piece, empty at the end; valid until the next call. The piece that completes the
    /// body is held back until the call after it has said that this was the end, so a last check
    /// may still fail there. An error before anything of the sub-request was sent leaves it and the
    /// rest of its object out, and the session goes on; a later one ends the session at once:
    /// nothing that the receiver could take for a whole body is ever sent.
    virtual Awaitable<Result<ByteView>> next() = 0;
};

/// One sub-request: `PUT` has a body and a length, `POST` and `DELETE` have neither.
struct SubRequest {
    std::string method;
    std::string path;  ///< `/account/container/object`, not yet quoted.
    std::vector<std::pair<std::string, std::string>> headers;  ///< Raw bytes, title-cased names.
    std::uint64_t content_length = 0;
    std::unique_ptr<BodyStream> body;
};

/// The sender's side of one session: what is on the disk and what can be rebuilt.
/// Owned by the job (host/sync); outlives the session.
class SessionObjects {
  public:
    virtual ~SessionObjects() = default;
    /// Called once, when the receiver's head is known. `accepts_non_durable`:
    /// X-Backend-Accept-No-Commit.
    virtual Awaitable<Result<void>> begin(bool accepts_non_durable) = 0;
    /// The next object to offer, nothing at the end.
    virtual Awaitable<Result<std::optional<Offer>>> next_offer() = 0;
    /// The receiver's whole answer, before the first sub-request: the place to start reading ahead.
    virtual Awaitable<Result<void>> wanted(std::vector<Wanted> objects) = 0;
    /// The sub-requests for the next wanted object that can be served, in order; an empty list at
    /// the end. Objects that cannot be served are skipped inside (they are counted and named
    /// there).
    virtual Awaitable<Result<std::vector<SubRequest>>> next_sub_requests() = 0;
    /// The session is lost while one of the calls above, or of a body, is under way: it should end
    /// soon, whatever it returns is dropped. Called at most once.
    virtual void cancel() {}
};

/// How a session ended.
struct SessionResult {
    bool success = false;
    std::optional<Error> error;      ///< Why not.
    bool judged = false;             ///< The receiver had all and said what it made of it.
    std::uint64_t offered = 0;       ///< Lines of the missing check.
    std::uint64_t wanted = 0;        ///< Lines of the answer.
    std::uint64_t sub_requests = 0;  ///< Sent in full.
    std::uint64_t skipped = 0;     ///< Left out because their body failed before anything was sent.
    std::uint64_t body_bytes = 0;  ///< PUT bodies, without framing.
};

}  // namespace fragmend::transport::ssync
