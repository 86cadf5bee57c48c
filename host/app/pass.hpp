// One pass over all partitions of this node's devices.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/app/work_choice.hpp"
#include "host/scan/collect.hpp"
#include "host/swift/ring_file.hpp"
#include "host/sync/revert_job.hpp"
#include "host/sync/services.hpp"
#include "host/sync/sync_job.hpp"
#include "host/sync/turn_order.hpp"

namespace fragmend::app {

/// An erasure-coded policy of this cluster, for the life of the process.
struct PolicyState {
    swift::Policy policy;
    swift::DiskContext disk;
    std::unique_ptr<swift::RingFile> ring_file;
    swift::RingPtr ring;  ///< Of the pass that runs.
};

/// Of those that stood back for one target, how many are in flight: enough that it never waits.
inline constexpr std::size_t in_line_max = 8;

/// Collects, and runs every partition's jobs, those at the greatest risk first (`turn_order`). What
/// other nodes do first of a partition is looked at again in later rounds (`scan::round_of`). A
/// partition that fails is counted and logged, and the others go on; a ring that changes ends the
/// pass for its policy alone. Owned by the reconstructor; runs on the network thread; ends when
/// `run` returns. Source: swift.obj.reconstructor.ObjectReconstructor.reconstruct.
class Pass {
  public:
    /// All references outlive the pass. `devices`, `partitions`: overrides, empty for all. No
    /// partition begins while the gate of `services` is closed.
    Pass(sync::Services& services, std::vector<PolicyState>& policies,
         std::vector<std::string> devices, std::vector<std::uint64_t> partitions);
    Awaitable<void> run();
    /// Ends the pass: no further partition and no further session starts; those that run are
    /// dropped, or go on to their ends.
    void cancel(sync::Ending ending);
    /// The same for what `choice` names, and not more: a device, a partition, or one object, which
    /// is always dropped. What is left of it is for the next pass. Errors: limit (`choices_max`
    /// were named before).
    Result<void> cancel(const WorkChoice& choice, sync::Ending ending);
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
    struct Line;
    /// A partition in a round of the pass. As many as there are partitions: small.
    struct Turn {
        scan::Partition partition;
        sync::Visits visits;
        std::chrono::duration<double> spent{};  ///< In earlier rounds.
        std::unique_ptr<HashedJobs> looked{};   ///< When it was settled a moment ago.
        Semaphore::Permit permit{};             ///< Among those in flight.
        Line* line = nullptr;                   ///< That it came from; while in flight.
    };
    /// Turns that stood back, because others waited for a session with the same target already: all
    /// that is in flight would otherwise wait for the slowest target in the end.
    struct Line {
        std::deque<Turn> turns;
        std::size_t in_flight = 0;  ///< That have stood here.
    };
    struct Ended {
        bool is_done = true;           ///< Else the rest is for a later round.
        std::string crowded_target{};  ///< Not empty: it stood back, and has done nothing.
    };

    /// Those of one round, before they begin.
    struct Waiting {
        std::vector<Turn> turns;
        std::vector<std::size_t> order;  ///< Positions in `turns` that are left, the next one last.
        std::uint64_t losses = 0;        ///< sync::Risks::losses_changed when they were ordered.
        std::chrono::steady_clock::time_point next_look{};  ///< Whether the order is to change.
    };
    Awaitable<void> run_turns(std::vector<Turn> turns);
    /// Orders those that are left by what is known of the devices now, on a disk thread.
    Awaitable<void> arrange(Waiting& waiting);
    /// Of the primaries of its partition.
    std::size_t lost_primaries(const Turn& turn, const sync::Risks::Losses& losses);
    /// Who begins now: one that stood back, or a group of those that wait, of one device. Nobody
    /// while there is no room.
    std::vector<Turn> admit(Waiting& waiting);
    /// As `in_line_max` for all targets together, while others have not had their turn: slow
    /// targets leave room for a group of the rest.
    std::size_t in_lines_max() const {
        return in_flight_.capacity() - std::max(in_flight_.capacity() / 4, std::size_t{1});
    }
    /// Those that still may begin; the others are counted.
    Awaitable<std::vector<Turn>> admissible(std::vector<Turn> admitted);
    /// It is not in flight any more.
    void leave(Turn& turn);
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
    Awaitable<Ended> run_jobs(Turn& turn, PolicyState& state);
    /// A target of `jobs` in this round for which somebody waits; empty: none.
    std::string crowded_target(const scan::PartitionJobs& jobs, const sync::Visits& visits) const;
    Awaitable<void> run_reverts(const scan::Partition& partition,
                                const std::vector<scan::RevertJob>& reverts,
                                const sync::PolicyContext& context);
    Awaitable<void> remove_partition(const scan::Partition& partition, const PolicyState& state);
    /// False once the policy's ring file has changed since the pass began.
    Awaitable<bool> ring_is_current(PolicyState& state);
    PolicyState& state_of(int policy_index);
    bool is_left_out(const scan::Partition& partition) const;
    void end_jobs(sync::Ending ending, const std::function<bool(const scan::Partition&)>& is_meant);

    sync::Services& services_;
    std::vector<PolicyState>& policies_;
    scan::CollectOptions collect_options_;
    std::chrono::steady_clock::time_point began_;
    std::map<int, std::chrono::steady_clock::time_point> next_ring_checks_;  ///< By policy.
    std::set<int> changed_policies_;
    std::vector<Turn> put_off_;  ///< For the next round; at most one a partition.
    Random random_{std::random_device{}()};
    Semaphore in_flight_;
    std::map<std::string, Line> lines_;  ///< By target.
    std::string last_line_;              ///< The one that was served last.
    std::size_t in_lines_ = 0;           ///< In flight, of all lines.
    Signal left_;                        ///< A turn is not in flight any more.
    TaskGroup partitions_;
    /// In the order of their beginning, with their partitions, which lie in the frames that run
    /// them.
    std::vector<std::pair<sync::SyncJobRun*, const scan::Partition*>> running_;
    std::vector<std::pair<sync::RevertJobRun*, const scan::Partition*>> reverting_;
    std::vector<WorkChoice> left_out_;
    bool cancelled_ = false;
};

}  // namespace fragmend::app
