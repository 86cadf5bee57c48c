// One look at the numbers of a rebuilding process, and what holds it up.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scheduler/stats.hpp"

namespace fragmend::scheduler {

class Dispatcher;
class MemoryBudget;

/// What a faster one of would make the whole faster.
enum class LimitedBy : std::uint8_t {
    nothing,   ///< Nobody waited for anything worth mentioning.
    source,    ///< Peers that take their time to answer.
    network,   ///< Bytes of survivors that are on their way.
    target,    ///< Receivers: sessions have bytes and cannot get rid of them.
    decode,    ///< Verification and decode.
    memory,    ///< fragmend_memory_limit: more objects at a time would help.
    throttle,  ///< Our own limits and manners.
};

/// `source`, `network`, ...
std::string_view to_string(LimitedBy limit);

/// Waits by cause, summed over all that ran side by side; differences of two moments are waits,
/// too.
struct Waits {
    std::chrono::nanoseconds source{0};
    std::chrono::nanoseconds network{0};
    std::chrono::nanoseconds target{0};    ///< Sessions that were sending.
    std::chrono::nanoseconds starving{0};  ///< Sessions that had nothing to send.
    std::chrono::nanoseconds decode{0};
    std::chrono::nanoseconds memory{0};
    std::chrono::nanoseconds throttle{0};
    std::chrono::nanoseconds disk{0};  ///< Own files, whoever they are read for.
    /// For how long anybody waited by our own choice, and any session for anything. Many streams
    /// of one object rest side by side; zero where nobody knows.
    std::chrono::nanoseconds any_throttle{0};
    std::chrono::nanoseconds any_session{0};

    Waits operator-(const Waits& earlier) const;
    bool operator==(const Waits&) const = default;
};

/// Until `now`; what is still being waited for counts.
Waits waits_of(const RebuildStats& stats, WaitSum::Moment now);

/// Pure. Sessions are where the work comes out: when they send for longer than they starve, the
/// targets are the limit, whatever waits behind them; otherwise the longest wait of the rebuilds
/// is. Waits by our own choice hide in those of others, so that half as much of them is enough.
LimitedBy limited_by(const Waits& waits);

/// All numbers at one moment. Bytes and waits since the start of the process.
struct Snapshot {
    RebuildStats rebuilds;
    Waits waits;
    DispatcherStats batches;
    std::size_t decode_queue_items = 0;
    std::size_t decode_busy_workers = 0;
    std::size_t memory_in_use_bytes = 0;
    std::size_t memory_peak_bytes = 0;
    std::size_t memory_limit_bytes = 0;

    std::uint64_t objects_running() const;
    /// Rounds in a batch, on average.
    double batch_fill() const;
};

/// Network thread.
Snapshot take_snapshot(const RebuildStats& stats, const Dispatcher& dispatcher,
                       const MemoryBudget& budget, WaitSum::Moment now);

}  // namespace fragmend::scheduler
