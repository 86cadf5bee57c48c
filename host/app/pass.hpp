// One pass over all partitions of this node's devices.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/scan/collect.hpp"
#include "host/swift/ring_file.hpp"
#include "host/sync/revert_job.hpp"
#include "host/sync/services.hpp"
#include "host/sync/sync_job.hpp"

namespace fragmend::app {

/// An erasure-coded policy of this cluster, for the life of the process.
struct PolicyState {
    swift::Policy policy;
    swift::DiskContext disk;
    std::unique_ptr<swift::RingFile> ring_file;
    swift::RingPtr ring;  ///< Of the pass that runs.
};

/// Partitions that are worked on at a time: most of them wait for a peer.
inline constexpr std::size_t partitions_in_flight_max = 64;

/// Collects, shuffles, and runs every partition's jobs. A partition that fails is counted and
/// logged, and the others go on; a ring that changes ends the pass for its policy alone. Owned by
/// the reconstructor; runs on the network thread; ends when `run` returns. Source:
/// swift.obj.reconstructor.ObjectReconstructor.reconstruct.
class Pass {
  public:
    /// All references outlive the pass. `devices`, `partitions`: overrides, empty for all.
    Pass(sync::Services& services, std::vector<PolicyState>& policies,
         std::vector<std::string> devices, std::vector<std::uint64_t> partitions);
    Awaitable<void> run();
    /// Ends the pass soon: no further partition starts, running sessions are dropped.
    void cancel();
    /// Swift's progress lines.
    void log_stats() const;
    double seconds() const;

  private:
    Awaitable<void> run_partition(scan::Partition partition, Semaphore::Permit permit);
    Awaitable<void> run_jobs(const scan::Partition& partition, PolicyState& state);
    Awaitable<void> remove_partition(const scan::Partition& partition, const PolicyState& state);
    /// False once the policy's ring file has changed since the pass began.
    Awaitable<bool> ring_is_current(PolicyState& state);
    PolicyState* state_of(int policy_index);

    sync::Services& services_;
    std::vector<PolicyState>& policies_;
    scan::CollectOptions collect_options_;
    std::chrono::steady_clock::time_point began_;
    std::map<int, std::chrono::steady_clock::time_point> next_ring_checks_;  ///< By policy.
    std::set<int> changed_policies_;
    Semaphore in_flight_;
    TaskGroup partitions_;
    std::set<sync::SyncJobRun*> running_;
    std::set<sync::RevertJobRun*> reverting_;
    bool cancelled_ = false;
};

}  // namespace fragmend::app
