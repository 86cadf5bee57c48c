// One pass over all partitions of this node's devices.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/app/gate.hpp"
#include "host/app/work_choice.hpp"
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
/// Of these, as many as one visit to a disk thread looks at: waking one costs more than the look.
inline constexpr std::ptrdiff_t looked_at_together = 8;

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
    /// The same for what `choice` names, and not more: a device, a partition, or one object. What
    /// is left of it is for the next pass. Errors: limit (`choices_max` were named before).
    Result<void> cancel(const WorkChoice& choice);
    static constexpr std::size_t choices_max = 1000;
    /// Swift's progress lines.
    void log_stats() const;
    double seconds() const;

  private:
    using Random = std::mt19937_64;
    struct HashedJobs {
        scan::PartitionJobs jobs;
        std::size_t suffixes_hashed = 0;
        bool has_failed_suffixes = false;  ///< Logged; no job covers them.
    };
    /// A partition in a round of the pass. As many as there are partitions: small.
    struct Turn {
        scan::Partition partition;
        sync::Visits visits;
        std::chrono::duration<double> spent{};  ///< In earlier rounds.
        std::unique_ptr<HashedJobs> looked{};   ///< When it was settled a moment ago.
        Semaphore::Permit permit{};             ///< Among those in flight.
    };

    Awaitable<void> run_turns(std::vector<Turn> turns);
    /// Looks at all in one go; whoever is not settled is hashed on its own.
    Awaitable<void> run_group(std::vector<Turn> group);
    /// Blocking: the jobs of a partition that has nothing to hash, else nothing.
    static std::optional<HashedJobs> settled_jobs(const scan::Partition& partition,
                                                  const PolicyState& state, Random& random);
    /// Blocking: brings the hashes of a partition up to date and derives its jobs.
    static Result<HashedJobs> make_jobs(const scan::Partition& partition, const PolicyState& state,
                                        bool is_second_look, Random& random);
    /// The latter on a disk thread; nothing for what has no jobs, which was logged and counted.
    Awaitable<std::optional<HashedJobs>> hash(const scan::Partition& partition,
                                              const PolicyState& state, bool is_second_look);
    Awaitable<void> run_partition(Turn turn);
    /// Whether the partition's jobs are done; else the rest is in `put_off_`.
    Awaitable<bool> run_jobs(Turn& turn, PolicyState& state);
    Awaitable<void> run_reverts(const scan::Partition& partition,
                                const std::vector<scan::RevertJob>& reverts,
                                const sync::PolicyContext& context);
    Awaitable<void> remove_partition(const scan::Partition& partition, const PolicyState& state);
    /// False once the policy's ring file has changed since the pass began.
    Awaitable<bool> ring_is_current(PolicyState& state);
    PolicyState& state_of(int policy_index);
    bool is_left_out(const scan::Partition& partition) const;

    sync::Services& services_;
    Gate& gate_;
    std::vector<PolicyState>& policies_;
    scan::CollectOptions collect_options_;
    std::chrono::steady_clock::time_point began_;
    std::map<int, std::chrono::steady_clock::time_point> next_ring_checks_;  ///< By policy.
    std::set<int> changed_policies_;
    std::vector<Turn> put_off_;  ///< For the next round; at most one a partition.
    Random random_{std::random_device{}()};
    Semaphore in_flight_;
    TaskGroup partitions_;
    /// In the order of their beginning, with their partitions, which lie in the frames that run
    /// them.
    std::vector<std::pair<sync::SyncJobRun*, const scan::Partition*>> running_;
    std::vector<std::pair<sync::RevertJobRun*, const scan::Partition*>> reverting_;
    std::vector<WorkChoice> left_out_;
    bool cancelled_ = false;
};

}  // namespace fragmend::app
