// Passes over a simulated cluster, on virtual time.
#include "tests/sim/world.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace fragmend::sim {
namespace {

/// More events or more virtual time than any pass needs: something goes round in circles.
constexpr std::uint64_t pass_events_max = 2'000'000;
constexpr std::chrono::hours pass_time_max{6};
constexpr std::size_t violations_max = 10;

}  // namespace

/// Hears every line of the code under test.
class World::Log final : public LogSink {
  public:
    explicit Log(World& world) : world_(world) {}
    void write(LogLevel level, std::string_view message) override {
        if (message.find(" left out while rebuilding ") != message.npos)
            world_.check_blame(message);
        if (!world_.keeps_log_) return;
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
            VirtualTime::now().time_since_epoch());
        world_.log_text_ += std::to_string(ms.count()) + " " + std::string(to_string(level)) + " " +
                            std::string(message) + "\n";
    }

  private:
    World& world_;
};

void Tally::add(const Tally& other) {
    worlds += other.worlds;
    objects += other.objects;
    commits += other.commits;
    sessions_failed += other.sessions_failed;
    culprits += other.culprits;
    faults += other.faults;
    compute_faults += other.compute_faults;
    rounds_replayed += other.rounds_replayed;
    shared += other.shared;
    cancelled_passes += other.cancelled_passes;
    cancelled_objects += other.cancelled_objects;
    cancelled_parts += other.cancelled_parts;
    stood_back += other.stood_back;
    kills += other.kills;
    ring_changes += other.ring_changes;
    ordered += other.ordered;
    later_rounds += other.later_rounds;
    quarantined += other.quarantined;
    reverted += other.reverted;
    reverts_failed += other.reverts_failed;
    purged += other.purged;
    throttled_ms += other.throttled_ms;
    limited += other.limited;
    windows += other.windows;
    events += other.events;
    virtual_seconds += other.virtual_seconds;
}

std::string Tally::text() const {
    const auto line = [](const char* name, std::uint64_t value) {
        return std::string(name) + " " + std::to_string(value) + "\n";
    };
    return line("worlds           ", worlds) + line("objects          ", objects) +
           line("fragments sent   ", commits) + line("faults           ", faults) +
           line("sessions failed  ", sessions_failed) + line("survivors blamed ", culprits) +
           line("compute faults   ", compute_faults) + line("rounds replayed  ", rounds_replayed) +
           line("shared rebuilds  ", shared) + line("passes cancelled ", cancelled_passes) +
           line("objects cancelled", cancelled_objects) +
           line("parts cancelled  ", cancelled_parts) + line("stood back       ", stood_back) +
           line("kills            ", kills) + line("ring changes     ", ring_changes) +
           line("by their risk    ", ordered) + line("later rounds     ", later_rounds) +
           line("reverted         ", reverted) + line("reverts failed   ", reverts_failed) +
           line("purged           ", purged) + line("quarantined      ", quarantined) +
           line("throttled ms     ", throttled_ms) + line("windows of a rate", windows) +
           line("limited by a rate", limited) + line("events           ", events) +
           line("virtual seconds  ", virtual_seconds);
}

World::World(std::uint64_t seed)
    : seed_(seed),
      dice_(seed),
      network_(asio::use_service<Network>(io_)),
      clock_(disk_),
      peers_(network_, truth_),
      log_(std::make_unique<Log>(*this)),
      codec_(truth_),
      tasks_(io_.get_executor()) {
    network_.dice = Dice(dice_.next());
    disk_.dice = Dice(dice_.next());
    codec_.dice = Dice(dice_.next());
    disk_.truth = &truth_;
    peers_.on_violation = [this](const std::string& what) { violation(what); };
    peers_.on_body = [this](const Node& target, std::size_t bytes) {
        check_moved("sent to ", sent_, target.id, bytes, &scheduler::ThrottleSettings::send);
    };
    network_.on_read = [this](const transport::http::Peer& peer, std::size_t bytes) {
        const std::uint32_t device = peers_.find(peer)->node.id;
        // A second look takes larger pieces than a rebuild.
        piece_bytes_max_ = std::max(piece_bytes_max_, bytes);
        check_moved("read from ", read_, device, bytes, &scheduler::ThrottleSettings::read);
    };
    peers_.on_delivery = [this](const Delivery& delivery) { check_delivery(delivery); };
    draw_limits();
    draw_ring();
    draw_objects();
    draw_strays();
}

World::~World() {
    // What has not happened yet holds links, and those their peers.
    network_.timeline = Timeline();
    cluster_files() = {};
}

void World::violation(const std::string& what) {
    if (violations_.size() == violations_max) return;
    violations_.push_back("FRAGMEND_SEED=" + std::to_string(seed_) + ": " + what);
}

sync::Services World::services(Pass& pass) {
    return {io_.get_executor(),
            SimPool(io_, network_, disk_speed_),
            options_,
            *client_,
            codec_,
            *dispatcher_,
            *budget_,
            *buffers_,
            rebuild_stats_,
            clock_,
            gather_limits_,
            rebuild_limits_,
            *sessions_,
            *replicate_calls_,
            pass.targets,
            pass.stats,
            pass.suspects,
            pass.activities,
            pass.metrics,
            pass.brake,
            pass.gate,
            Logger(log_.get(), keeps_log_ ? LogLevel::debug : LogLevel::warning),
            throttle_.get(),
            &risks_,
            stash_.get(),
            offers_max_,
            partitions_in_flight()};
}

const std::vector<std::string>& World::run() {
    tally_.worlds = 1;
    tally_.objects = versions_.size();
    const auto began = VirtualTime::now();
    const std::uint64_t stormy = dice_.between(1, 2);
    for (std::uint64_t i = 0; i < stormy && violations_.empty(); ++i)
        run_pass(true);
    // What a storm has left open, one quiet pass repairs; the second one finds nothing to do.
    for (int i = 0; i < 2 && violations_.empty(); ++i)
        run_pass(false);
    if (violations_.empty()) check_recovered();
    client_->pool().close();
    tasks_.spawn(dispatcher_->stop());
    drive();
    if (network_.links != 0) violation(std::to_string(network_.links) + " links stay open");
    tally_.faults = peers_.faults + disk_.faults;
    tally_.compute_faults = rebuild_stats_.compute_faults;
    tally_.rounds_replayed = rebuild_stats_.rounds_replayed;
    tally_.shared = rebuild_stats_.objects_shared;
    tally_.quarantined = disk_.quarantined.size();
    tally_.throttled_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                       rebuild_stats_.wait_for_throttle.until(VirtualTime::now()))
                                       .count());
    tally_.virtual_seconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(VirtualTime::now() - began).count());
    note(static_cast<std::uint64_t>(VirtualTime::now().time_since_epoch().count()));
    return violations_;
}

void World::run_pass(bool stormy) {
    set_weather(stormy);
    Pass pass(io_.get_executor(), sessions_per_device_, clock_);
    pass.rings.push_back(policy_.ring);
    pass.waits = scheduler::waits_of(rebuild_stats_, VirtualTime::now());
    sync::Services shared = services(pass);
    app::Pass run(shared, policy_states_, {}, {});
    disk_.on_turn = [this, &pass](const std::string& partition) {
        ++pass.turns[partition];
        check_turn(pass.gate);
    };
    disk_.on_look = [this, &pass](const std::string& partition) { check_order(pass, partition); };
    peers_.on_session = [this, &pass](const Node& target, const std::string& partition, int index,
                                      Moment began) {
        check_may_begin(pass, partition, began);
        return check_session(pass, target, partition, index);
    };
    peers_.on_reverted = [this, stormy](const Node& target, const std::string& partition) {
        reverted_to_.insert({partition, target.id});
        --tally_.reverts_failed;
        // What was offered is not what lies here when it comes to the purge.
        if (stormy && dice_.chance(20)) change_a_stray();
    };
    disk_.on_purge = [this, &pass](const Held& held, const swift::PurgeRequest& request) {
        check_purge(pass, held, request);
    };
    tasks_.spawn(run.run());
    if (stormy) schedule_trouble(pass, run);
    if (throttle_ != nullptr) {
        read_ = sent_ = {};
        rates_.clear();
        set_throttle(draw_throttle());
        const scheduler::ThrottleSettings later = draw_throttle();
        const Duration delay(dice_.draw(2'000'000'000));
        if (stormy) network_.timeline.after(delay, [this, later] { set_throttle(later); });
    }
    drive();
    if (violations_.empty()) check_pass(pass, stormy);
    if (throttle_ != nullptr) check_limited_by(pass);
    if (network_.client_is_dead) start_again();
    tally_.culprits += pass.stats.bad_survivors_total;
    tally_.reverted += pass.stats.fragments_reverted;
    for (const auto& [name, count] : pass.stats.failed_sessions)
        tally_.sessions_failed += count;
}

void World::drive() {
    const Moment latest = VirtualTime::now() + pass_time_max;
    const std::uint64_t events_max = tally_.events + pass_events_max;
    for (;;) {
        io_.restart();
        while (io_.poll_one() > 0) {
            ++tally_.events;
            check_bounds();
        }
        const Moment next = std::min(network_.timeline.next(), time_.timer_due());
        if (tasks_.running() == 0 && network_.timeline.next() == Moment::max()) return;
        if (next == Moment::max() || next > latest || tally_.events > events_max) break;
        time_.set(std::max(next, VirtualTime::now()));
        network_.timeline.run_due();
    }
    // What is half done cannot be torn down.
    violation("stuck: " + std::to_string(tasks_.running()) + " tasks wait for nothing");
    std::cerr << log_text_ << violations_.front() << "\n" << violations_.back() << std::endl;
    std::abort();
}

}  // namespace fragmend::sim
