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
#include "host/app/gate.hpp"
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

/// Collects, shuffles, and runs every partition's jobs. What other nodes do first of a partition is
/// looked at again in later rounds (`scan::round_of`). A partition that fails is counted and
/// logged, and the others go on; a ring that changes ends the pass for its policy alone. Owned by
/// the reconstructor; runs on the network thread; ends when `run` returns. Source:
/// swift.obj.reconstructor.ObjectReconstructor.reconstruct.
class Pass {
  public:
    /// All references outlive the pass. `devices`, `partitions`: overrides, empty for all. No
    /// partition begins while `gate` is closed.
    Pass(sync::Services& services, std::vector<PolicyState>& policies,
         std::vector<std::string> devices, std::vector<std::uint64_t> partitions, Gate& gate);
    Awaitable<void> run();
    /// Ends the pass soon: no further partition starts, running sessions are dropped.
    void cancel();
    /// Swift's progress lines.
    void log_stats() const;
    double seconds() const;

  private:
    /// A partition in a round of the pass.
    struct Turn {
        scan::Partition partition;
        sync::Visits visits;
        std::chrono::duration<double> spent{};  ///< In earlier rounds.
    };

    Awaitable<void> run_turns(std::vector<Turn> turns);
    Awaitable<void> run_partition(Turn turn, Semaphore::Permit permit);
    /// Whether the partition's jobs are done; else the rest is in `put_off_`.
    Awaitable<bool> run_jobs(Turn& turn, PolicyState& state);
    Awaitable<void> run_reverts(const std::vector<scan::RevertJob>& reverts,
                                const sync::PolicyContext& context);
    Awaitable<void> remove_partition(const scan::Partition& partition, const PolicyState& state);
    /// False once the policy's ring file has changed since the pass began.
    Awaitable<bool> ring_is_current(PolicyState& state);
    PolicyState* state_of(int policy_index);

    sync::Services& services_;
    Gate& gate_;
    std::vector<PolicyState>& policies_;
    scan::CollectOptions collect_options_;
    std::chrono::steady_clock::time_point began_;
    std::map<int, std::chrono::steady_clock::time_point> next_ring_checks_;  ///< By policy.
    std::set<int> changed_policies_;
    std::vector<Turn> put_off_;  ///< For the next round; at most one a partition.
    Semaphore in_flight_;
    TaskGroup partitions_;
    std::set<sync::SyncJobRun*> running_;
    std::set<sync::RevertJobRun*> reverting_;
    bool cancelled_ = false;
};

}  // namespace fragmend::app
