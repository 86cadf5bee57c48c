// The queue, the batches and the way back to the owners.
#include "scheduler/dispatcher.hpp"

#include <algorithm>

namespace fragmend::scheduler {
namespace {

std::size_t survivor_bytes_of(const DecodeJob& job) {
    return job.work.survivors.size() * job.work.fragment_bytes();
}

void run_batch(Codec& codec, const std::vector<DecodeJob*>& jobs) {
    std::vector<SegmentWork*> works;
    works.reserve(jobs.size());
    for (DecodeJob* job : jobs)
        works.push_back(&job->work);
    codec.run(works);
    for (DecodeJob* job : jobs) {
        if (job->chain == nullptr || job->work.error) continue;
        Md5 md5;
        md5.update(*job->chain);
        md5.update(codec.fingerprint(job->work.outputs.front()));
        *job->chain = md5.finish();
    }
}

}  // namespace

Dispatcher::Entry::Entry(const asio::any_io_executor& executor, DecodeJob& its_job)
    : job(&its_job), survivor_bytes(survivor_bytes_of(its_job)), wake(executor) {}

Dispatcher::Dispatcher(asio::any_io_executor executor, asio::any_io_executor pool, Codec& codec,
                       DispatcherLimits limits)
    : executor_(executor),
      pool_(std::move(pool)),
      codec_(codec),
      limits_(limits),
      queue_room_(executor, limits.queue_items_max),
      batches_(executor) {
    FRAGMEND_ASSERT(limits.workers > 0 && limits.batch_items_max > 0 && limits.queue_items_max > 0);
}

Dispatcher::~Dispatcher() {
    FRAGMEND_ASSERT(queue_.empty() && busy_workers_ == 0);
}

Awaitable<Result<void>> Dispatcher::run(DecodeJob& job) {
    const std::size_t bytes = survivor_bytes_of(job);
    if (bytes <= limits_.inline_bytes_max && queue_.empty() && busy_workers_ == 0 && !stopping_) {
        count_batch(1, bytes);
        run_batch(codec_, {&job});
        co_return Result<void>();
    }
    auto room = co_await queue_room_.acquire(1);
    if (room.has_error()) co_return room.error();
    if (stopping_) co_return Error{errc::cancelled, "the dispatcher stopped"};
    Entry entry(executor_, job);
    queue_.push_back(&entry);
    queued_survivors_ += job.work.survivors.size();
    stats_.queue_items_peak = std::max(stats_.queue_items_peak, queue_.size());
    if (busy_workers_ == 0 ||
        (busy_workers_ < limits_.workers && queued_survivors_ >= limits_.fill_survivors)) {
        ++busy_workers_;
        batches_.spawn(work_off_queue());
    }
    while (entry.state != Entry::State::done) {
        co_await entry.wake.wait();
        // Only `done` and a wish to stop wake us; a running job keeps its buffers until it is done.
        if (entry.state == Entry::State::queued) {
            std::erase(queue_, &entry);
            queued_survivors_ -= job.work.survivors.size();
            co_return Error{errc::cancelled, "stopped before the decode"};
        }
    }
    co_return Result<void>();
}

std::vector<Dispatcher::Entry*> Dispatcher::take_batch() {
    // A fair share, so that the first worker to come back does not leave the others idle.
    const std::size_t share = (queue_.size() + limits_.workers - 1) / limits_.workers;
    std::vector<Entry*> batch;
    std::size_t survivors = 0;
    std::size_t bytes = 0;
    while (!queue_.empty() && batch.size() < limits_.batch_items_max &&
           (batch.size() < share || survivors < limits_.fill_survivors)) {
        Entry* next = queue_.front();
        if (!batch.empty() && bytes + next->survivor_bytes > limits_.batch_bytes_max) break;
        survivors += next->job->work.survivors.size();
        bytes += next->survivor_bytes;
        next->state = Entry::State::running;
        batch.push_back(next);
        queue_.pop_front();
    }
    queued_survivors_ -= survivors;
    count_batch(batch.size(), bytes);
    return batch;
}

void Dispatcher::count_batch(std::size_t items, std::size_t survivor_bytes) {
    ++stats_.batches;
    stats_.items += items;
    stats_.survivor_bytes += survivor_bytes;
    stats_.batch_items_peak = std::max(stats_.batch_items_peak, items);
}

Awaitable<void> Dispatcher::work_off_queue() {
    while (!queue_.empty() && !stopping_) {
        const std::vector<Entry*> batch = take_batch();
        std::vector<DecodeJob*> jobs;
        jobs.reserve(batch.size());
        for (Entry* entry : batch)
            jobs.push_back(entry->job);
        auto run = [codec = &codec_, work = &jobs] {
            run_batch(*codec, *work);
            return true;
        };
        co_await offload(pool_, std::move(run));
        for (Entry* entry : batch) {
            entry->state = Entry::State::done;
            entry->wake.notify();
        }
    }
    --busy_workers_;
}

Awaitable<void> Dispatcher::stop() {
    stopping_ = true;
    queue_room_.close();
    for (Entry* entry : queue_)
        entry->wake.notify();
    co_await batches_.join();
}

}  // namespace fragmend::scheduler
