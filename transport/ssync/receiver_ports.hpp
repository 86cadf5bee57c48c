// What an SSYNC receiver session needs from its surroundings: locks, a look at the disk, a writer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/bytes.hpp"
#include "transport/ssync/receiver_lines.hpp"

namespace fragmend::transport::ssync {

/// How a sub-request ended. 2xx and 404 are success.
struct Verdict {
    int status = 500;
    std::string body;  ///< For the log.

    bool is_success() const { return status / 100 == 2 || status == 404; }
};

/// A PUT whose body comes in pieces. One that is abandoned leaves nothing behind. After `finish` or
/// `abandon` nothing of it is under way; it is destroyed after one of them only.
class OpenPut {
  public:
    virtual ~OpenPut() = default;
    /// Takes the next bytes, which may be written later; what went wrong is told by `finish`, the
    /// rest is then ignored.
    virtual Awaitable<void> write(ByteView bytes) = 0;
    /// All bytes came. The fragment is safe when this says so.
    virtual Awaitable<Verdict> finish() = 0;
    /// Not all bytes will come.
    virtual Awaitable<void> abandon() = 0;
};

/// The receiver's side of one session: a device, a partition, a fragment index.
/// Owned by whoever answers SSYNC (host/server); outlives the session. Calls may overlap, except
/// that two sub-requests for one object never do.
class ReceiverObjects {
  public:
    virtual ~ReceiverObjects() = default;
    /// Takes the session's place and its locks; given back when this object goes.
    /// Errors: limit (too many sessions), lock_timeout (in Swift's words), io and others.
    virtual Awaitable<Result<void>> lock() = 0;
    /// What is wanted of each offer, in the same order. May commit fragments that are here already.
    /// Errors: name_collision for an object that does not belong here; the session then goes on and
    /// ends with an error.
    virtual Awaitable<std::vector<Result<std::optional<Wanted>>>> check(
        std::vector<Offer> offers) = 0;
    /// Serves a sub-request whose body is whole; `body` lives until it returns.
    virtual Awaitable<Verdict> serve(SubRequestHead head, ByteView body) = 0;
    /// Begins a PUT with a large body. Whatever is wrong with it is told by `finish`.
    virtual Awaitable<std::unique_ptr<OpenPut>> open_put(SubRequestHead head) = 0;
};

}  // namespace fragmend::transport::ssync
