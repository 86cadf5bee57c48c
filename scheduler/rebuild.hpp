// Rebuilds one lost fragment archive: verified, in order, inside its share of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/base/async.hpp"
#include "scheduler/attempt.hpp"

namespace fragmend::scheduler {

/// What came of one object. Complete once the body ended, an error was returned, or `stop`
/// returned.
struct RebuildOutcome {
    bool verified = false;          ///< All survivors were good; nothing is held back any more.
    std::optional<Error> error;     ///< Why the object was not rebuilt.
    std::vector<Culprit> culprits;  ///< Leave their devices out when the object is tried again.
    int attempts = 0;
    /// Set with `limit`: the survivors' headers announce pieces that need more memory than was
    /// asked for. Try again with `fragment_bytes` set to it, holding nothing (ReadAhead does).
    std::size_t piece_bytes_needed = 0;
};

/// Turns one RebuildRequest into the bytes of the wanted archive.
///
/// A producer child gathers, decodes and verifies as far ahead as the window allows, from `start`
/// on, whether or not anybody asks for bytes; the session takes pieces with `next`. A survivor that
/// fails is named in the log, left out, and the object is built again from others; bytes that went
/// out before are recomputed and compared. The last piece (all of a small archive) goes out only
/// after every survivor ended where it should with the MD5 that its server announced.
///
/// Life:     construct, `start`, `ready`, `next` until it is empty or fails, `stop`, destroy.
/// `stop` may
///           come at any point after `start` and is a must: a destroyed rebuild whose producer
///           still runs is a defect and ends the process. One consumer; it is not inside `ready` or
///           `next` when it calls `stop`. `cancel` may come from anybody on the network thread.
/// Runs on:  the network thread.
class ObjectRebuild {
  public:
    ObjectRebuild(RebuildPorts ports, RebuildLimits limits, RebuildRequest request,
                  std::vector<std::uint32_t> left_out);
    ~ObjectRebuild() { FRAGMEND_ASSERT(!inside_); }
    ObjectRebuild(const ObjectRebuild&) = delete;
    ObjectRebuild& operator=(const ObjectRebuild&) = delete;

    /// Queues for memory and runs ahead. Once.
    void start();
    /// Waits until the first piece can be taken, or the object is known to be empty. An error means
    /// that no byte was handed out: the object can be skipped. Errors: those of `next`.
    Awaitable<Result<void>> ready();
    /// The next piece in order, empty at the end; valid until the next call. An error after the
    /// first piece means that the receiver must never get a whole body: drop the session. Errors:
    /// too_few_fragments (as `FragmentSource::open` said it), wrong_bytes, bad_fragment, limit,
    /// disconnected and
    /// timeout (after a busy session), cancelled, and what the codec refuses.
    Awaitable<Result<ByteView>> next();
    /// Asks the producer to end; `ready` and `next` answer `cancelled` from now on.
    void cancel();
    /// Cancels, joins every child and gives all memory back.
    Awaitable<void> stop();

    const RebuildRequest& request() const { return state_.request; }
    const RebuildOutcome& outcome() const { return outcome_; }
    std::uint64_t bytes_released() const { return state_.window.bytes_released(); }

  private:
    class Inside;
    Awaitable<void> produce();
    Awaitable<Result<void>> rebuild();
    Awaitable<Result<void>> take_share();
    /// Tries until an attempt is verified or none is left.
    Awaitable<Result<void>> try_survivors();
    void leave_out(const Culprit& culprit, bool again);
    /// Returns whether this was one too many.
    bool note_compute_fault(const Error& error, bool last);
    Error exhausted(const Culprit& last) const;
    void settle(const Result<void>& result);
    void release_memory();
    std::optional<Error> ended_with_error() const;
    /// The session is back: until now it was sending what it got last.
    void count_sending();
    /// `/account/container/object policy#1 frag#3`.
    std::string subject() const;

    // The share is declared before the slabs in `state_`, so that it is given back after them.
    MemoryBudget::Permit share_;
    RebuildState state_;
    RebuildOutcome outcome_;
    RebuildAttempt* attempt_ = nullptr;  ///< The one that runs, in the frame of `try_survivors`.
    int compute_faults_ = 0;
    bool started_ = false;
    bool began_ = false;
    bool inside_ = false;  ///< The consumer waits in here.
    std::optional<std::chrono::steady_clock::time_point> handed_out_;  ///< The session is sending.
    asio::cancellation_signal hurry_;
    TaskGroup producer_;
};

}  // namespace fragmend::scheduler
