// What the jobs of a pass share: pools, client, codec, budget, limits, counters.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

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
#include "host/sync/gate.hpp"
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

/// Partitions that are worked on at a time: most of them wait for a peer. With little memory they
/// are fewer, see `scheduler::partitions_within`.
inline constexpr std::size_t partitions_in_flight_max = 64;

/// Objects that one session offers; the suffix that reaches it is the session's last. What a
/// session remembers of each, and what its receiver wants of them, stays within
/// `scheduler::session_bytes`.
inline constexpr std::size_t session_offers_max = 2048;

/// Sessions at a time towards one device, towards one node, and from one disk of ours. Swift's
/// servers let `replication_concurrency_per_device` sessions into a device and let others wait for
/// a lock; of `replication_concurrency` sessions a worker they refuse the next one. Queueing here
/// costs nobody anything.
class TargetSlots {
  public:
    static constexpr std::size_t no_limit = 1 << 20;

    TargetSlots(asio::any_io_executor executor, std::size_t per_device,
                std::size_t per_node = no_limit, std::size_t per_disk = no_limit)
        : executor_(std::move(executor)),
          per_device_(per_device),
          per_node_(per_node),
          per_disk_(per_disk) {}

    Semaphore& of(const std::string& device_name) {
        return one_of(devices_, device_name, per_device_);
    }
    Semaphore& of_node(const std::string& ip) { return one_of(nodes_, ip, per_node_); }
    Semaphore& of_disk(const std::string& device) { return one_of(disks_, device, per_disk_); }

  private:
    using Slots = std::map<std::string, std::unique_ptr<Semaphore>>;  ///< As many as the ring has.
    Semaphore& one_of(Slots& slots, const std::string& name, std::size_t units) {
        auto& slot = slots[name];
        if (!slot) slot = std::make_unique<Semaphore>(executor_, units);
        return *slot;
    }

    asio::any_io_executor executor_;
    std::size_t per_device_;
    std::size_t per_node_;
    std::size_t per_disk_;
    Slots devices_, nodes_, disks_;
};

/// When a job that is cancelled ends: with what it sends dropped, or after the session that runs.
enum class Ending : std::uint8_t { now, after_session };

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
    Gate& gate;
    Logger log;
    scheduler::Throttle* throttle = nullptr;  ///< Nothing: no limits.
    Risks* risks = nullptr;                   ///< Nothing: age orders a session, chance a pass.
    Stash* stash = nullptr;                   ///< Nothing: each target reads for itself.
    std::size_t offers_max = session_offers_max;
    std::size_t partitions_in_flight = partitions_in_flight_max;
};

/// `work`, blocking, on a disk thread; until it is done somebody waits for our own disk.
template <typename Work>
Awaitable<std::invoke_result_t<Work&>> on_disk(Services& services, Work work) {
    const scheduler::WaitTimer timer(services.clock, services.rebuild_stats.wait_for_disk);
    co_return co_await offload(services.disk, std::move(work));
}

/// One policy during one job: the ring is the snapshot that the job was made from.
struct PolicyContext {
    swift::Policy policy;
    swift::RingPtr ring;
    swift::DiskContext disk;
};

}  // namespace fragmend::sync
