// What a process owns to do its work: threads, client, codec, memory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>

#include "host/base/buffer_pool.hpp"
#include "host/codec/cpu_codec.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "host/sync/services.hpp"
#include "scheduler/snapshot.hpp"

namespace fragmend::app {

/// Built at start from the options, in the order in which its parts need each other, and torn down
/// in reverse. Owned by the reconstructor.
class Engine {
  public:
    /// `codec`: one of another making than the options ask for.
    Engine(const swift::ReconstructorOptions& options, scheduler::ThrottleSettings throttle,
           const Clock& clock, Logger log, std::unique_ptr<scheduler::Codec> codec = nullptr);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    asio::io_context& io() { return io_; }
    scheduler::Codec& codec() { return *codec_; }
    const scheduler::RebuildStats& rebuild_stats() const { return rebuild_stats_; }
    const Semaphore& sessions() const { return sessions_; }
    const Semaphore& replicate_calls() const { return replicate_calls_; }
    /// May be told new limits at any time, on the network thread.
    scheduler::Throttle& throttle() { return throttle_; }
    scheduler::Snapshot snapshot() const {
        return scheduler::take_snapshot(rebuild_stats_, dispatcher_, budget_, clock_.steady());
    }
    asio::any_io_executor disk() { return disk_threads_.get_executor(); }
    /// For what must not wait behind a disk that hangs.
    asio::any_io_executor configuration() { return configuration_thread_.get_executor(); }
    /// What the jobs of a pass share; `stats`, `suspects` and `targets` belong to that pass.
    sync::Services services(sync::PassStats& stats, sync::Suspects& suspects,
                            sync::TargetSlots& targets, sync::ActivityBoard& activities,
                            Metrics& metrics);
    /// While it is closed no partition and no session begins.
    sync::Gate& gate() { return gate_; }
    /// For the sessions of one pass.
    sync::TargetSlots target_slots();
    /// Waits for what the dispatcher still runs. Before the io_context ends.
    Awaitable<void> stop();

  private:
    const swift::ReconstructorOptions& options_;
    const Clock& clock_;
    Logger log_;
    asio::io_context io_{1};
    asio::thread_pool disk_threads_;
    asio::thread_pool configuration_thread_{1};
    std::unique_ptr<scheduler::Codec> codec_;
    std::size_t decode_thread_count_;
    asio::thread_pool decode_threads_;
    HeapSlabs slabs_;
    BufferPool buffers_;
    scheduler::MemoryBudget budget_;
    sync::Stash stash_;
    scheduler::RebuildStats rebuild_stats_;
    scheduler::Throttle throttle_;
    scheduler::Dispatcher dispatcher_;
    transport::http::Client client_;
    Semaphore sessions_;
    Semaphore replicate_calls_;
    sync::QuarantineBrake brake_;
    sync::Gate gate_;
    sync::Risks risks_;
};

}  // namespace fragmend::app
