// The rebuilt pieces of one object on their way to its session: order, hold-back, replay. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "host/base/buffer_pool.hpp"
#include "host/base/md5.hpp"
#include "scheduler/rebuild_shape.hpp"

namespace fragmend::scheduler {

/// Between the producer (one attempt after the other) and the consumer (one session) of an object.
///
/// A piece is *released* once the consumer has got it. Until `set_verified`, the last piece is
/// never released, and none at all where the shape holds everything back. After a failed attempt
/// everything that is not released is dropped; the next attempt starts at round 0 and its rounds
/// below the released ones are compared, not sent again: their chain digest (see DecodeJob) must be
/// the one that was released. Runs on: one thread. Owned by ObjectRebuild.
class OutputWindow {
  public:
    struct Slot {
        std::size_t index = 0;
        ByteSpan bytes;  ///< One byte longer than a piece.
    };

    /// Takes the memory for a shape. Only while nothing is released.
    void lay_out(const RebuildShape& shape, BufferPool::Lease slab);
    /// Drops what is not released and expects round 0. At the start of each attempt.
    void begin_attempt();
    /// Memory for the next round, or nothing while the window is full.
    std::optional<Slot> take_slot();
    /// Gives back a slot whose round failed.
    void give_back(const Slot& slot) { free_slots_.push_back(slot.index); }
    /// Takes the output of `round` (they come in order) and the chain digest up to its end.
    /// Errors: wrong_bytes, a replayed prefix differs from what was released.
    Result<void> accept(const Slot& slot, std::uint64_t round, const Md5Digest& chain);
    /// All rounds are in and all survivors are good: releases what was held back.
    void set_verified();

    /// The consumer is done with the piece it got last.
    void return_released();
    bool can_release() const;
    /// The next piece in order, valid until `return_released`. Only when `can_release`.
    ByteView release();
    /// Everything was released and given back. True at once for an object without bytes.
    bool drained() const { return verified_ && queue_.empty() && !lent_; }
    /// Whether the consumer still reads a piece.
    bool lent() const { return lent_.has_value(); }
    bool has_memory() const { return has_memory_; }
    /// Frees the memory. Afterwards `lay_out` again, or only `drained` and the counts.
    void release_memory();

    std::uint64_t rounds_released() const { return rounds_released_; }
    std::uint64_t bytes_released() const { return bytes_released_; }

  private:
    struct Output {
        std::size_t slot;
        std::size_t bytes;
        Md5Digest chain;
    };

    RebuildShape shape_;
    BufferPool::Lease slab_;
    std::vector<std::size_t> free_slots_;
    std::deque<Output> queue_;  ///< Rounds [rounds_released_, next_round_), at most `output_slots`.
    std::optional<std::size_t> lent_;  ///< The slot that the consumer reads.
    std::uint64_t next_round_ = 0;
    std::uint64_t rounds_released_ = 0;
    std::uint64_t bytes_released_ = 0;
    Md5Digest released_chain_{};
    bool verified_ = false;
    bool has_memory_ = false;
};

}  // namespace fragmend::scheduler
