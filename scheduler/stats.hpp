// What the scheduler counts: bytes by stage, waits by cause, ends by kind.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "host/base/clock.hpp"

namespace fragmend::scheduler {

/// Touched on the network thread only; readers copy it there.
struct RebuildStats {
    std::uint64_t objects_started = 0;
    std::uint64_t objects_shared = 0;    ///< Of those, for several targets out of one reading.
    std::uint64_t objects_verified = 0;  ///< Rebuilt, every survivor's MD5 as announced.
    std::uint64_t objects_failed = 0;    ///< Ended with an error that is not `cancelled`.
    std::uint64_t objects_cancelled = 0;
    std::uint64_t attempts = 0;
    std::uint64_t survivors_left_out = 0;
    std::uint64_t compute_faults = 0;   ///< Cross-checks that failed without a culprit.
    std::uint64_t rounds = 0;           ///< Decoded, replayed ones included.
    std::uint64_t rounds_replayed = 0;  ///< Decoded again because an earlier attempt had sent them.

    std::uint64_t survivor_bytes = 0;  ///< Read from survivors, headers included.
    std::uint64_t rebuilt_bytes = 0;   ///< Outputs of good rounds, replayed ones included.
    std::uint64_t released_bytes = 0;  ///< Handed to sessions.

    // Where time goes, summed over objects that run side by side.
    std::chrono::nanoseconds wait_for_budget{0};
    std::chrono::nanoseconds wait_for_open{0};
    std::chrono::nanoseconds wait_for_survivors{0};  ///< The network or the peers are the limit.
    std::chrono::nanoseconds wait_for_decode{0};     ///< The compute is the limit.
    std::chrono::nanoseconds wait_for_session{
        0};  ///< The receiver is the limit: the window is full.
    std::chrono::nanoseconds wait_of_session{0};    ///< Sessions that waited for the next piece.
    std::chrono::nanoseconds wait_for_target{0};    ///< Sessions that had one and were sending it.
    std::chrono::nanoseconds wait_for_throttle{0};  ///< By our own choice.
};

struct DispatcherStats {
    std::uint64_t batches = 0;
    std::uint64_t items = 0;
    std::uint64_t survivor_bytes = 0;
    std::size_t queue_items_peak = 0;
    std::size_t batch_items_peak = 0;
};

/// Adds the time of its scope to one counter.
class WaitTimer {
  public:
    WaitTimer(const Clock& clock, std::chrono::nanoseconds& sum)
        : clock_(clock), sum_(sum), since_(clock.steady()) {}
    ~WaitTimer() { sum_ += clock_.steady() - since_; }
    WaitTimer(const WaitTimer&) = delete;
    WaitTimer& operator=(const WaitTimer&) = delete;

  private:
    const Clock& clock_;
    std::chrono::nanoseconds& sum_;
    std::chrono::steady_clock::time_point since_;
};

}  // namespace fragmend::scheduler
