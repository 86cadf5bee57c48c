// What the jobs of a pass share: pools, client, codec, budget, limits, counters.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "host/base/async.hpp"
#include "host/base/buffer_pool.hpp"
#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "host/base/metrics.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "host/swift/ring.hpp"
#include "host/sync/activity.hpp"
#include "host/sync/pass_stats.hpp"
#include "host/sync/quarantine_brake.hpp"
#include "host/sync/risks.hpp"
#include "host/sync/stash.hpp"
#include "host/sync/suspects.hpp"
#include "scheduler/dispatcher.hpp"
#include "scheduler/memory_budget.hpp"
#include "scheduler/rebuild_shape.hpp"
#include "scheduler/stats.hpp"
#include "scheduler/throttle.hpp"
#include "transport/fragments/gather.hpp"
#include "transport/http/client.hpp"

namespace fragmend::sync {

/// REPLICATE requests under way at a time: each may make a peer hash. Enough that answers come in
/// handfuls; few beside what one server of Swift's takes (max_clients, 1024).
inline constexpr std::size_t replicate_calls_max = 32;

/// Objects that one session offers; the suffix that reaches it is the session's last. What a
/// session remembers of each, and what its receiver wants of them, stays within
/// `scheduler::session_bytes`.
inline constexpr std::size_t session_offers_max = 2048;

/// Sessions towards one device at a time. Swift's servers let `replication_concurrency_per_device`
/// sessions into a device and let others wait for a lock; queueing here costs nobody anything.
class TargetSlots {
  public:
    TargetSlots(asio::any_io_executor executor, std::size_t sessions_per_device)
        : executor_(std::move(executor)), sessions_per_device_(sessions_per_device) {}

    Semaphore& of(const std::string& device_name) {
        auto& slot = slots_[device_name];
        if (!slot) slot = std::make_unique<Semaphore>(executor_, sessions_per_device_);
        return *slot;
    }
    void close() {
        for (auto& [name, slot] : slots_)
            slot->close();
    }

  private:
    asio::any_io_executor executor_;
    std::size_t sessions_per_device_;
    std::map<std::string, std::unique_ptr<Semaphore>> slots_;  ///< As many as the ring has devices.
};

/// Owned by host/app's pass; outlives every job. Touched on the network thread, except for what is
/// handed to `disk` by value.
struct Services {
    asio::any_io_executor network;  ///< One thread.
    asio::any_io_executor disk;     ///< Threads for blocking file work.
    const swift::ReconstructorOptions& options;
    transport::http::Client& client;
    scheduler::Codec& codec;
    scheduler::Dispatcher& dispatcher;
    scheduler::MemoryBudget& budget;
    BufferPool& buffers;
    scheduler::RebuildStats& rebuild_stats;
    const Clock& clock;
    transport::fragments::GatherLimits gather_limits;
    scheduler::RebuildLimits rebuild_limits;
    Semaphore& sessions;
    Semaphore& replicate_calls;
    TargetSlots& targets;
    PassStats& stats;
    Suspects& suspects;
    ActivityBoard& activities;
    Metrics& metrics;
    QuarantineBrake& brake;
    Logger log;
    scheduler::Throttle* throttle = nullptr;  ///< Nothing: no limits.
    Risks* risks = nullptr;                   ///< Nothing: age alone orders a session.
    Stash* stash = nullptr;                   ///< Nothing: each target reads for itself.
    std::size_t offers_max = session_offers_max;
};

/// One policy during one job: the ring is the snapshot that the job was made from.
struct PolicyContext {
    swift::Policy policy;
    swift::RingPtr ring;
    swift::DiskContext disk;
};

}  // namespace fragmend::sync
