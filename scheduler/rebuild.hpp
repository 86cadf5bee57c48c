// Rebuilds lost fragment archives of one object: verified, in order, inside a share of memory.
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

/// Turns one RebuildRequest into the bytes of the wanted archive, or of several: each output has a
/// consumer of its own. The first one's window is bounded; the others hold their whole archive, so
/// that their consumers may come when the first one is done.
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
///           still runs is a defect and ends the process. One consumer an output; it is not inside
///           `ready` or `next` when it calls `leave` or `stop`. `cancel` may come from anybody on
///           the network thread.
/// Runs on:  the network thread.
class ObjectRebuild {
  public:
    ObjectRebuild(RebuildPorts ports, RebuildLimits limits, RebuildRequest request,
                  std::vector<std::uint32_t> left_out);
    ~ObjectRebuild();
    ObjectRebuild(const ObjectRebuild&) = delete;
    ObjectRebuild& operator=(const ObjectRebuild&) = delete;

    /// Queues for memory and runs ahead. Once.
    void start();
    /// Waits until the first piece can be taken, or the object is known to be empty. An error means
    /// that no byte was handed out: the object can be skipped. Errors: those of `next`.
    Awaitable<Result<void>> ready(std::size_t output = 0);
    /// The next piece in order, empty at the end; valid until the next call. An error after the
    /// first piece means that the receiver must never get a whole body: drop the session. Errors:
    /// too_few_fragments (as `FragmentSource::open` said it), wrong_bytes, bad_fragment, limit,
    /// disconnected and
    /// timeout (after a busy session), cancelled, and what the codec refuses.
    Awaitable<Result<ByteView>> next(std::size_t output = 0);
    /// Asks the producer to end; `ready` and `next` answer `cancelled` from now on.
    void cancel();
    /// Of a verified rebuild: its `next` answers `cancelled`, the other outputs are none the worse.
    void cancel(std::size_t output);
    /// Cancels, joins every child and gives all memory back.
    Awaitable<void> stop();
    /// Instead of `stop`, of a verified rebuild: joins every child and gives back what this output
    /// holds. The others are left, or given up, by whom they belong to.
    Awaitable<void> leave(std::size_t output);
    /// Gives back what this output holds, of a rebuild that somebody has left before.
    void give_up(std::size_t output);

    const RebuildRequest& request() const { return state_.request; }
    const RebuildOutcome& outcome() const { return outcome_; }
    /// The culprits that nobody has taken yet: each is accounted for once, whoever shares them.
    std::vector<Culprit> take_culprits();
    std::uint64_t bytes_released(std::size_t output = 0) const {
        return state_.outputs[output].window.bytes_released();
    }

  private:
    class Inside;
    Awaitable<void> produce();
    Awaitable<Result<void>> rebuild();
    Awaitable<Result<void>> take_share();
    /// Whether `error` may be none for a single output: a target that is thought to lack its
    /// fragment may hold it, and the first one may need it.
    bool drops_others_after(const Error& error) const;
    /// Splits the share, which is at least `charge`, into slabs and what surrounds them.
    void use_share(const RebuildCharge& charge);
    /// From now on only the first fragment is wanted.
    void drop_others();
    /// Tries until an attempt is verified or none is left.
    Awaitable<Result<void>> try_survivors();
    void leave_out(const Culprit& culprit, bool again);
    /// Returns whether this was one too many.
    bool note_compute_fault(const Error& error, bool last);
    Error exhausted(const Culprit& last) const;
    void settle(const Result<void>& result);
    void release_memory();
    /// Gives back what `output` holds, of a rebuild whose producer has ended.
    void release(RebuildOutput& output);
    /// Of the outputs, which the share still pays for.
    std::size_t held_bytes() const;
    std::optional<Error> ended_with_error(const RebuildOutput& output) const;
    /// The session has something to send from now on.
    void hand_out(RebuildOutput& output);
    /// The session is back: until now it was sending what it got last.
    void count_sending(RebuildOutput& output);
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
    std::size_t culprits_taken_ = 0;
    asio::cancellation_signal hurry_;
    TaskGroup producer_;
};

}  // namespace fragmend::scheduler
