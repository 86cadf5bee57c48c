// What the scheduler counts: bytes by stage, waits by cause, ends by kind.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "host/base/clock.hpp"

namespace fragmend::scheduler {

/// The waits of one cause; those that have not ended count as far as they got.
class WaitSum {
  public:
    using Moment = std::chrono::steady_clock::time_point;
    void begin(Moment now) {
        settle(now);
        ++waiting_;
    }
    void end(Moment now) {
        settle(now);
        --waiting_;
    }
    /// Summed over those who waited side by side.
    std::chrono::nanoseconds until(Moment now) const { return sum_ + waiting_ * (now - since_); }
    /// For how long there was anybody.
    std::chrono::nanoseconds any_until(Moment now) const {
        return any_ + (waiting_ > 0 ? now - since_ : Moment::duration{0});
    }

  private:
    void settle(Moment now) {
        sum_ = until(now);
        any_ = any_until(now);
        since_ = now;
    }

    std::chrono::nanoseconds sum_{0};
    std::chrono::nanoseconds any_{0};
    std::int64_t waiting_ = 0;
    Moment since_{};
};

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

    // Where time goes; of reverts, too, whose own disk is the one survivor to open.
    WaitSum wait_for_budget;
    WaitSum wait_for_open;
    WaitSum wait_for_survivors;  ///< The network or the peers are the limit.
    WaitSum wait_for_decode;     ///< The compute is the limit.
    WaitSum wait_for_session;    ///< The receiver is the limit: the window is full.
    WaitSum wait_of_session;     ///< Sessions that waited for the next piece.
    WaitSum wait_for_target;     ///< Sessions that had one and were sending it.
    WaitSum wait_for_throttle;   ///< By our own choice.
    WaitSum wait_for_disk;       ///< Blocking file work, and a thread for it; some of it in others.
};

/// Time of CPUs in a codec, of all threads together.
struct CodecTimes {
    std::chrono::nanoseconds verify{0};  ///< Headers and MD5s of survivors.
    std::chrono::nanoseconds decode{0};  ///< With the cross-check.

    CodecTimes operator-(const CodecTimes& earlier) const {
        return {verify - earlier.verify, decode - earlier.decode};
    }
};

struct DispatcherStats {
    std::uint64_t batches = 0;
    std::uint64_t items = 0;
    std::uint64_t survivor_bytes = 0;
    std::size_t queue_items_peak = 0;
    std::size_t batch_items_peak = 0;
};

/// Waits in its scope.
class WaitTimer {
  public:
    WaitTimer(const Clock& clock, WaitSum& sum) : clock_(clock), sum_(sum) {
        sum_.begin(clock_.steady());
    }
    ~WaitTimer() { sum_.end(clock_.steady()); }
    WaitTimer(const WaitTimer&) = delete;
    WaitTimer& operator=(const WaitTimer&) = delete;

  private:
    const Clock& clock_;
    WaitSum& sum_;
};

}  // namespace fragmend::scheduler
