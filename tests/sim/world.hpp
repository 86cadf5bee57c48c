// A small cluster out of one seed, in which real jobs rebuild what three partners have lost.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/app/pass.hpp"
#include "scheduler/snapshot.hpp"
#include "tests/sim/cluster_files.hpp"
#include "tests/sim/codec.hpp"
#include "tests/sim/local_disk.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/peers.hpp"
#include "tests/sim/pool.hpp"

namespace fragmend::sim {

/// What many worlds saw together: a simulation that no fault reaches proves nothing.
struct Tally {
    std::uint64_t worlds = 0;
    std::uint64_t objects = 0;
    std::uint64_t commits = 0;
    std::uint64_t sessions_failed = 0;
    std::uint64_t culprits = 0;
    std::uint64_t faults = 0;
    std::uint64_t compute_faults = 0;
    std::uint64_t rounds_replayed = 0;
    std::uint64_t shared = 0;
    std::uint64_t cancelled_passes = 0;
    std::uint64_t cancelled_objects = 0;
    std::uint64_t cancelled_parts = 0;  ///< Partitions or devices.
    std::uint64_t stood_back = 0;       ///< Sessions of partitions that did so once.
    std::uint64_t kills = 0;
    std::uint64_t ring_changes = 0;
    std::uint64_t ordered = 0;       ///< Passes in which some were at greater risk than others.
    std::uint64_t later_rounds = 0;  ///< Sessions for which it was not the first one's turn.
    std::uint64_t quarantined = 0;
    std::uint64_t reverted = 0;        ///< Fragments, in sessions that ended well.
    std::uint64_t reverts_failed = 0;  ///< Sessions of reverts that began and did not end well.
    std::uint64_t purged = 0;
    std::uint64_t throttled_ms = 0;
    std::uint64_t limited = 0;  ///< Passes that a rate alone makes so long.
    std::uint64_t windows = 0;  ///< Of time, in which bytes were held against a rate.
    std::uint64_t events = 0;
    std::uint64_t virtual_seconds = 0;
    void add(const Tally& other);
    std::string text() const;
};

/// Builds everything from the seed; `run` lets stormy passes go over it, then quiet ones, and
/// checks the invariants after every event. What is wrong is returned, one line each, the first one
/// first. Real: passes with their turns, jobs, session objects, survivor source, gathering, client,
/// sender, the whole scheduler. Simulated: sockets, clocks, disk, ring file, peers, codec.
class World {
  public:
    explicit World(std::uint64_t seed);
    ~World();

    const std::vector<std::string>& run();
    const Tally& tally() const { return tally_; }
    /// Sum over everything that happened, to compare two runs of one seed.
    std::uint64_t trace() const { return trace_; }
    const std::string& log_text() const { return log_text_; }
    void keep_log() { keeps_log_ = true; }

  private:
    class Log;
    /// What belongs to one pass alone.
    struct Pass {
        Pass(asio::any_io_executor executor, std::size_t sessions_per_device, const Clock& clock)
            : gate(executor),
              targets(std::move(executor), sessions_per_device),
              activities(clock) {}
        sync::Gate gate;
        sync::PassStats stats;
        sync::Suspects suspects;
        sync::TargetSlots targets;
        sync::ActivityBoard activities;
        NoMetrics metrics;
        sync::QuarantineBrake brake{0};
        std::vector<swift::RingPtr> rings;         ///< The one that it began with, then newer ones.
        std::map<std::string, std::size_t> turns;  ///< That a partition has had.
        std::map<std::string, Moment> left_out;    ///< By partition: since when.
        /// By partition that has not been looked at: its lost primaries, as far as was known when
        /// the first one was.
        std::map<std::string, std::size_t> lost;
        std::vector<std::size_t> looked;  ///< The same of the others, in their order.
        bool cancelled = false;
        Moment began = VirtualTime::now();
        scheduler::Waits waits;  ///< Until it began.
    };

    void draw_limits();
    void draw_ring();
    swift::RingPtr make_ring() const;
    void draw_objects();
    Version& draw_version(std::uint32_t partition);
    void place(const Version& version);
    /// What lies on the local disk and belongs elsewhere.
    void draw_strays();
    void draw_stray(std::uint32_t partition);
    void draw_target(const Version& version, std::size_t place);
    void add_stray(const Held& held);
    Damage draw_damage();
    void set_weather(bool stormy);
    scheduler::ThrottleSettings draw_throttle();
    void set_throttle(const scheduler::ThrottleSettings& settings);
    /// Bytes that have moved in this pass, in one direction: in all, and by peer.
    struct Moved {
        std::uint64_t total = 0;
        std::map<std::uint32_t, std::uint64_t> peers;
    };
    void check_moved(const char* what, Moved& moved, std::uint32_t device, std::size_t bytes,
                     scheduler::ByteRates scheduler::ThrottleSettings::*direction);
    /// Of what a rate that changed in this pass lets through until now; nothing for no limit.
    std::optional<double> let_through(
        const std::function<std::uint64_t(const scheduler::ThrottleSettings&)>& rate_of) const;
    void check_limited_by(const Pass& pass);
    void run_pass(bool stormy);
    void schedule_trouble(Pass& pass, app::Pass& run);
    /// The process ends in the midst of its pass: what it had sent is all that anybody gets.
    void kill(Pass& pass, app::Pass& run);
    /// After a kill: a new process, which knows nothing.
    void start_again();
    /// Some replicas move to devices that have nothing of their partition; what they had may
    /// follow.
    void change_ring(Pass& pass);
    /// What another partner does meanwhile.
    void let_a_neighbour_rebuild();
    /// What a proxy does to what waits for a revert.
    void change_a_stray();
    void commit_a_stray();
    void put_a_stray();
    sync::Services services(Pass& pass);
    /// Few in every second world.
    std::size_t partitions_in_flight() const {
        return seed_ % 2 == 0 ? scheduler::partitions_min : sync::partitions_in_flight_max;
    }
    /// Polls and advances until no task runs.
    void drive();
    void check_bounds();
    void check_delivery(const Delivery& delivery);
    /// Returns whether it is a revert's.
    /// Nothing begins that is paused or cancelled.
    void check_may_begin(const Pass& pass, const std::string& partition, Moment began);
    bool check_session(Pass& pass, const Node& target, const std::string& partition, int index);
    void check_reverted(const Delivery& delivery);
    bool has_taken(std::uint32_t device, std::size_t place, const Held& held);
    void check_purge(const Pass& pass, const Held& held, const swift::PurgeRequest& request);
    std::vector<std::string> strays_left();
    void check_turn(const sync::Gate& gate);
    /// When a partition is looked at: nobody before it had more spare fragments.
    void check_order(Pass& pass, const std::string& partition);
    /// Fragments of `version` at primaries, good and at their places, besides that of `except`.
    int good_fragments(const Version& version, std::uint32_t except);
    void check_pass(const Pass& pass, bool stormy);
    void check_recovered();
    std::vector<std::string> missing();
    void check_blame(std::string_view line);
    void violation(const std::string& what);
    void note(std::uint64_t value) { trace_ = (trace_ ^ value) * 0x100000001b3; }
    Peer& peer_of(std::uint32_t device);

    std::uint64_t seed_;
    Dice dice_;
    VirtualTime time_;
    asio::io_context io_{1};
    Network& network_;
    Truth truth_;
    LocalDisk disk_;
    SimClock clock_;
    Peers peers_;
    std::unique_ptr<Log> log_;
    SimPool::Speed disk_speed_, decode_speed_;
    SimCodec codec_;

    swift::ReconstructorOptions options_;
    sync::PolicyContext policy_;  ///< With the newest ring.
    std::vector<app::PolicyState> policy_states_;
    std::vector<std::vector<std::uint32_t>> rows_;  ///< Of the newest ring.
    Moment gate_closed_at_{};
    std::deque<Version> versions_;
    std::uint32_t device_count_ = 0;
    std::uint32_t partition_count_ = 4;
    std::uint32_t first_handoff_ = 2;        ///< Of those before it, this node is a primary.
    std::vector<std::uint32_t> partitions_;  ///< With a job.
    std::vector<std::uint32_t> handoffs_;    ///< Listed here, and none of ours.
    std::uint32_t local_device_ = 0;
    std::size_t sessions_per_device_ = 1;

    HeapSlabs slabs_;
    scheduler::RebuildLimits rebuild_limits_;
    transport::fragments::GatherLimits gather_limits_;
    scheduler::RebuildStats rebuild_stats_;
    std::unique_ptr<scheduler::Throttle> throttle_;                      ///< In some worlds.
    std::vector<std::pair<Moment, scheduler::ThrottleSettings>> rates_;  ///< Of this pass.
    Moved read_, sent_;
    std::size_t piece_bytes_max_ = 0;  ///< That a throttle is asked for at a time.
    sync::Risks risks_;
    std::unique_ptr<BufferPool> buffers_;
    std::unique_ptr<scheduler::MemoryBudget> budget_;
    std::unique_ptr<sync::Stash> stash_;
    std::size_t offers_max_ = 0;  ///< Of a session.
    std::unique_ptr<scheduler::Dispatcher> dispatcher_;
    std::unique_ptr<transport::http::Client> client_;
    std::unique_ptr<Semaphore> sessions_, replicate_calls_;
    TaskGroup tasks_;

    Tally tally_;
    std::uint64_t trace_ = 0xcbf29ce484222325;
    std::set<std::pair<std::string, std::uint32_t>> blamed_;  ///< Path and device id.
    std::map<const Version*, bool>
        strays_seen_;  ///< And whether all of them were durable at first.
    /// Partition and device id: its newest revert session has ended well.
    std::set<std::pair<std::string, std::uint32_t>> reverted_to_;
    Moment strays_changed_at_{};
    std::vector<std::string> violations_;
    bool keeps_log_ = false;
    std::string log_text_;
};

}  // namespace fragmend::sim
