// Brings the rounds of many objects to the codec in batches.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/md5.hpp"
#include "scheduler/codec.hpp"
#include "scheduler/stats.hpp"

namespace fragmend::scheduler {

/// One round on its way through the codec.
struct DecodeJob {
    SegmentWork work;
    /// Unless null: becomes MD5(its old value, then the first output) when the work succeeds.
    /// Computed on the worker, where the output is warm; it names the whole prefix of an archive in
    /// 16 bytes.
    Md5Digest* chain = nullptr;
};

struct DispatcherLimits {
    std::size_t workers = 1;            ///< Batches in the pool at the same time.
    std::size_t batch_items_max = 256;  ///< Rounds in one batch.
    std::size_t batch_bytes_max = std::size_t{64}
                                  << 20;  ///< Survivor bytes in one batch, or one item.
    std::size_t queue_items_max = 4096;   ///< Rounds queued or in work; beyond it `run` waits.
    /// A round of at most so many survivor bytes that finds nothing queued and nobody at work is
    /// done at once on the network thread: waking a worker and coming back would take longer.
    std::size_t inline_bytes_max = 0;
    /// As many survivors a batch should have where the queue has them: they are hashed side by
    /// side, for the time of one. Another worker begins only when so many are queued.
    std::size_t fill_survivors = 1;
};

/// Natural batching: a free worker takes its share of what is queued (all of it when there is one
/// worker), up to the limits. A round that finds nobody at work starts at once and alone; while
/// somebody is, the queue grows and with it the next batch, until it fills one for another worker.
/// No timer, so no latency is added when little is to do. Owned by host/app, outlives every
/// rebuild; `pool` outlives it. Runs on the network thread, except for `Codec::run`, which runs on
/// the pool (but see `inline_bytes_max`).
class Dispatcher {
  public:
    Dispatcher(asio::any_io_executor executor, asio::any_io_executor pool, Codec& codec,
               DispatcherLimits limits);
    ~Dispatcher();

    /// Queues `job` and waits until it is done; what came of it stands in `job.work.error`.
    /// Lifetime: the job and all it points to live until this returns.
    /// Errors: cancelled (the dispatcher stopped, or the caller was hurried before a worker took
    /// the job; the codec has not seen it).
    Awaitable<Result<void>> run(DecodeJob& job);
    /// Refuses what is queued, waits for the batches that run.
    Awaitable<void> stop();

    const DispatcherStats& stats() const { return stats_; }
    /// Rounds that no worker has taken yet.
    std::size_t queued_items() const { return queue_.size(); }
    std::size_t busy_workers() const { return busy_workers_; }

  private:
    /// A job in the queue or in a batch; lives in the frame of `run`.
    struct Entry {
        enum class State { queued, running, done };
        Entry(const asio::any_io_executor& executor, DecodeJob& its_job);
        DecodeJob* job;
        std::size_t survivor_bytes;
        State state = State::queued;
        Signal wake;
    };
    std::vector<Entry*> take_batch();
    void count_batch(std::size_t items, std::size_t survivor_bytes);
    Awaitable<void> work_off_queue();

    asio::any_io_executor executor_;
    asio::any_io_executor pool_;
    Codec& codec_;
    DispatcherLimits limits_;
    DispatcherStats stats_;
    Semaphore queue_room_;
    std::deque<Entry*> queue_;
    std::size_t queued_survivors_ = 0;
    std::size_t busy_workers_ = 0;
    bool stopping_ = false;
    TaskGroup batches_;
};

}  // namespace fragmend::scheduler
