// One pass over fresh survivors of one object: open, read, decode, verify.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/buffer_pool.hpp"
#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "scheduler/dispatcher.hpp"
#include "scheduler/fragment_source.hpp"
#include "scheduler/memory_budget.hpp"
#include "scheduler/output_window.hpp"
#include "scheduler/rebuild_shape.hpp"
#include "scheduler/stats.hpp"

namespace fragmend::scheduler {

/// What every rebuild works with. All of it outlives every rebuild.
struct RebuildPorts {
    asio::any_io_executor executor;  ///< The network thread; everything but Codec::run runs on it.
    FragmentSource& source;
    Codec& codec;
    Dispatcher& dispatcher;
    MemoryBudget& budget;
    BufferPool& buffers;
    const Clock& clock;
    RebuildStats& stats;
    Logger log;
};

/// A survivor that failed, and how.
struct Culprit {
    std::uint32_t device_id = 0;
    std::uint8_t frag_index = 0;
    std::string name;  ///< `ip:port/device`, or the local path.
    Error error;
};

/// One wanted fragment on its way to its session.
struct RebuildOutput {
    explicit RebuildOutput(const asio::any_io_executor& executor) : produced(executor) {}
    OutputWindow window;
    Signal produced;      ///< Something changed that its consumer may wait for.
    bool left = false;    ///< Its consumer takes no more of it.
    bool inside = false;  ///< Its consumer waits in one of the rebuild's coroutines.
    /// Since when its session has been sending what it got last.
    bool handed_out = false;
};

/// What the attempts of one object share. Owned by ObjectRebuild.
struct RebuildState {
    RebuildState(RebuildPorts its_ports, RebuildLimits its_limits, RebuildRequest its_request,
                 std::vector<std::uint32_t> its_left_out)
        : ports(std::move(its_ports)),
          limits(its_limits),
          request(std::move(its_request)),
          left_out(std::move(its_left_out)),
          consumed(ports.executor) {
        for (std::size_t i = 0; i < request.outputs(); ++i)
            outputs.emplace_back(ports.executor);
    }

    RebuildPorts ports;
    RebuildLimits limits;
    RebuildRequest request;
    std::vector<std::uint32_t> left_out;  ///< Ring ids of devices that are not asked.
    std::size_t share_bytes = 0;          ///< Lent by the budget; the slabs below never take more.
    BufferPool::Claim outside;            ///< Lent for what is allocated elsewhere.
    std::optional<RebuildShape> shape;    ///< Known once headers were seen.
    BufferPool::Lease inputs;
    std::deque<RebuildOutput> outputs;  ///< One a wanted fragment, `wanted` first.
    Signal consumed;                    ///< Something changed that the producer may wait for.
    bool stopping = false;
    bool all_differed = false;  ///< Once no survivor had the MD5 that its server announced.
};

/// Reads all survivors side by side, round after round; while round r is decoded, round r + 1 is
/// read and the session sends what is before. Rounds of one object are decoded one at a time and in
/// order: the survivors' digests are running ones. Children (k readers of a round, one decode) are
/// joined before `run` returns. Lives in the frame of the rebuild's producer, on the network
/// thread.
class RebuildAttempt {
  public:
    enum class End {
        verified,       ///< Every round is in the window, every survivor is good.
        again,          ///< `culprits` failed; others may do.
        stale,          ///< Connections broke after the session let them wait; nobody is to blame.
        compute_fault,  ///< A verification failed and names nobody.
        larger_piece,   ///< The headers announce pieces that do not fit into the share.
        failed,         ///< `error`.
    };

    explicit RebuildAttempt(RebuildState& state);

    Awaitable<End> run();
    /// Ends every wait of the children now; `state.stopping` is set before.
    void hurry();

    const std::vector<Culprit>& culprits() const { return culprits_; }
    /// Set for stale, compute_fault and failed.
    const Error& error() const { return error_; }
    /// Set for larger_piece.
    std::size_t larger_piece_bytes() const { return larger_piece_bytes_; }

  private:
    struct Survivor {
        std::unique_ptr<SurvivorStream> stream;
        ByteSpan into;
        Result<std::size_t> got = std::size_t{0};
        asio::cancellation_signal hurry;
        bool blamed = false;
    };
    static Awaitable<void> read_one(Survivor& survivor);

    Awaitable<void> gather();
    Awaitable<void> open();
    Awaitable<void> read_headers();
    void settle_piece();
    void lay_out(std::size_t piece_bytes);
    void make_plan();
    Awaitable<void> read_round(std::uint64_t round);
    /// Fills `into` of every survivor and blames those that cannot.
    Awaitable<void> read_all();
    Awaitable<void> wait_for_decode();
    /// One slot an output.
    using Slots = std::vector<OutputWindow::Slot>;
    /// Waits until the session has made room. Nothing: nobody wants to go on.
    Awaitable<Slots> wait_for_slots();
    void give_back(const Slots& slots);
    /// Fills a slot of every output.
    Awaitable<void> decode_round(std::uint64_t round, Slots slots);
    void judge(const SegmentWork& work);
    void verify();

    void end_with(End end, Error error);
    void fail(Error error) { end_with(End::failed, std::move(error)); }
    void blame(std::size_t position, Error error);
    /// Nothing has gone wrong and nobody wants us to stop.
    bool good() const { return !ended_ && culprits_.empty() && !state_.stopping; }
    std::size_t input_set(std::uint64_t round) const;
    ByteSpan input_slot(std::uint64_t round, std::size_t position) const;

    RebuildState& state_;
    std::deque<Survivor> survivors_;  ///< In plan order.
    std::vector<FragmentHeader> headers_;
    std::vector<ByteView> views_;  ///< One of each survivor for each input set.
    std::shared_ptr<const DecodePlan> plan_;
    std::unique_ptr<SurvivorDigests> digests_;
    Md5Digest chain_{};

    std::vector<Culprit> culprits_;
    std::optional<End> ended_;
    Error error_;
    std::size_t larger_piece_bytes_ = 0;
    bool stalled_ = false;  ///< The session once let us wait for longer than `stall_ms_max`.

    asio::cancellation_signal hurry_decode_;
    TaskGroup readers_;
    TaskGroup decoder_;
};

}  // namespace fragmend::scheduler
