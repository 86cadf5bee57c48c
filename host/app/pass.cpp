// Running a pass.
#include "host/app/pass.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <optional>
#include <random>

#include "host/swift/diskfile.hpp"
#include "host/swift/json_members.hpp"
#include "host/swift/local_devices.hpp"
#include "host/swift/partition_hashes.hpp"
#include "host/swift/partition_removal.hpp"
#include "host/swift/settled_hashes.hpp"

namespace fragmend::app {

namespace {

std::string format_stats(const char* pattern, auto... values) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

/// Remaining time in Swift's manner: a number and h, m or s.
std::string eta_text(double seconds) {
    if (seconds > 3600) return std::to_string(static_cast<long long>(seconds / 3600)) + "h";
    if (seconds > 60) return std::to_string(static_cast<long long>(seconds / 60)) + "m";
    return std::to_string(static_cast<long long>(seconds)) + "s";
}

struct Work {
    std::vector<scan::Partition> partitions;
    std::uint64_t devices = 0;
    std::uint64_t devices_unmounted = 0;
    std::uint64_t devices_failed = 0;
    std::uint64_t entries = 0;
};

/// Ordering a partition takes a disk thread a fraction of this; the order is not looked at again
/// before as much time has passed for each.
constexpr std::chrono::microseconds order_pause{10};

/// Blocking: lists all data directories.
Work collect_work(const std::vector<PolicyState>& policies,
                  const swift::ReconstructorOptions& options,
                  const scan::CollectOptions& collect_options) {
    Work work;
    const auto addresses = swift::my_addresses(options.ring_ip, swift::interface_addresses());
    for (const PolicyState& state : policies) {
        const auto devices = swift::local_devices(*state.ring, addresses, options.port);
        auto found = scan::collect_partitions(state.disk, state.policy, *state.ring, devices,
                                              collect_options);
        work.devices += found.devices;
        work.devices_unmounted += found.devices_unmounted;
        work.devices_failed += found.devices_failed;
        work.entries += found.entries;
        std::move(found.partitions.begin(), found.partitions.end(),
                  std::back_inserter(work.partitions));
    }
    return work;
}

}  // namespace

Pass::Pass(sync::Services& services, std::vector<PolicyState>& policies,
           std::vector<std::string> devices, std::vector<std::uint64_t> partitions)
    : services_(services),
      policies_(policies),
      collect_options_{std::move(devices), std::move(partitions), services.options.handoffs_only},
      began_(services.clock.steady()),
      in_flight_(services.network, services.partitions_in_flight),
      left_(services.network),
      partitions_(services.network) {}

std::optional<Pass::HashedJobs> Pass::settled_jobs(const scan::Partition& partition,
                                                   const PolicyState& state, Random& random) {
    auto hashes =
        swift::settled_hashes(state.disk, partition.local_device.device, partition.name, true);
    if (!hashes) return std::nullopt;
    return HashedJobs{
        scan::build_jobs(partition, std::move(*hashes), *state.ring, state.policy, random), 0,
        false};
}

Result<Pass::HashedJobs> Pass::make_jobs(const scan::Partition& partition, const PolicyState& state,
                                         bool is_second_look, Random& random) {
    auto hashed = swift::update_hashes(
        state.disk, partition.local_device.device, partition.name,
        {.recalculate = {}, .list_directory = true, .is_second_look = is_second_look});
    if (hashed.has_error()) return hashed.error();
    return HashedJobs{
        scan::build_jobs(partition, std::move(hashed->hashes), *state.ring, state.policy, random),
        hashed->hashed, !hashed->failed.empty()};
}

double Pass::seconds() const {
    return std::chrono::duration<double>(services_.clock.steady() - began_).count();
}

PolicyState& Pass::state_of(int policy_index) {
    const auto found = std::ranges::find(
        policies_, policy_index, [](const PolicyState& state) { return state.policy.index; });
    FRAGMEND_ASSERT(found != policies_.end());
    return *found;
}

Awaitable<void> Pass::run() {
    auto collect = [this] {
        for (PolicyState& state : policies_)
            state.ring = state.ring_file->newest(services_.clock.steady());
        return collect_work(policies_, services_.options, collect_options_);
    };
    auto work = co_await sync::on_disk(services_, std::move(collect));
    auto& stats = services_.stats;
    stats.devices = work.devices;
    stats.devices_unmounted = work.devices_unmounted;
    stats.partitions = work.partitions.size();
    for (std::uint64_t i = 0; i < work.devices_failed; ++i)
        stats.partition_failed(errc::io);
    std::vector<Turn> turns;
    turns.reserve(work.partitions.size());
    // A list for the whole pass is enough: this one ends here.
    for (scan::Partition& partition : std::exchange(work.partitions, {}))
        turns.push_back({std::move(partition), {.round = 0, .devices = {}, .spent = {}}});
    while (!turns.empty()) {
        co_await run_turns(std::move(turns));
        turns = std::exchange(put_off_, {});
        if (cancelled_) co_return;
        if (turns.empty()) continue;
        services_.log.debug("Looking again at " + std::to_string(turns.size()) +
                            " partitions of which other nodes rebuild something first");
    }
}

Awaitable<void> Pass::run_turns(std::vector<Turn> turns) {
    Waiting waiting{.turns = std::move(turns), .order = {}};
    waiting.order.resize(waiting.turns.size());
    std::iota(waiting.order.begin(), waiting.order.end(), std::size_t{0});
    co_await arrange(waiting);
    while (!cancelled_) {
        if (services_.risks != nullptr && waiting.losses != services_.risks->losses_changed() &&
            services_.clock.steady() >= waiting.next_look && !waiting.order.empty())
            co_await arrange(waiting);
        auto group = admit(waiting);
        if (group.empty()) {
            if (waiting.order.empty() && in_flight_.in_use() == 0) break;
            co_await left_.wait();
            continue;
        }
        do {
            co_await services_.gate.pass(cancelled_);
            group = co_await admissible(std::move(group));
        } while (services_.gate.is_closed() && !cancelled_);
        if (!group.empty() && !cancelled_) partitions_.spawn(run_group(std::move(group)));
    }
    co_await partitions_.join();
}

Awaitable<void> Pass::arrange(Waiting& waiting) {
    sync::Risks::Losses losses;
    if (services_.risks != nullptr) {
        losses = services_.risks->losses();
        waiting.losses = services_.risks->losses_changed();
    }
    auto arranged = [this, &waiting, losses = std::move(losses),
                     random = Random(random_())]() mutable {
        std::vector<sync::WaitingTurn> left;
        left.reserve(waiting.order.size());
        for (const std::size_t position : waiting.order) {
            const Turn& turn = waiting.turns[position];
            left.push_back({turn.partition.local_device.device, lost_primaries(turn, losses)});
        }
        std::vector<std::size_t> order;
        order.reserve(left.size());
        for (const std::size_t place : sync::turn_order(left, random))
            order.push_back(waiting.order[place]);
        std::ranges::reverse(order);
        return order;
    };
    waiting.order = co_await offload(services_.disk, std::move(arranged));
    waiting.next_look =
        services_.clock.steady() + order_pause * static_cast<std::int64_t>(waiting.order.size());
}

std::size_t Pass::lost_primaries(const Turn& turn, const sync::Risks::Losses& losses) {
    if (losses.empty()) return 0;
    const int policy = turn.partition.policy_index;
    const auto ids = state_of(policy).ring->primary_ids(turn.partition.number);
    return static_cast<std::size_t>(std::ranges::count_if(ids, [&](std::uint32_t id) {
        return losses.contains({policy, id});
    }));
}

std::vector<Pass::Turn> Pass::admit(Waiting& waiting) {
    std::vector<Turn> group;
    const std::size_t room = in_flight_.capacity() - in_flight_.in_use();
    if (room == 0) return group;
    const auto enter = [&](Turn turn) {
        const bool admitted = in_flight_.try_acquire(1, turn.permit);
        FRAGMEND_ASSERT(admitted);
        group.push_back(std::move(turn));
    };
    if (in_lines_ < in_lines_max() || waiting.order.empty()) {
        auto at = lines_.upper_bound(last_line_);
        for (std::size_t i = 0; i < lines_.size(); ++i, ++at) {
            if (at == lines_.end()) at = lines_.begin();
            Line& line = at->second;
            if (line.turns.empty() || line.in_flight == in_line_max) continue;
            last_line_ = at->first;
            line.turns.front().line = &line;
            enter(std::move(line.turns.front()));
            line.turns.pop_front();
            ++line.in_flight;
            ++in_lines_;
            return group;
        }
    }
    const auto device_at = [&waiting](std::size_t position) {
        return std::string_view(waiting.turns[position].partition.local_device.device);
    };
    const auto most = static_cast<std::ptrdiff_t>(sync::group_max(in_flight_.capacity()));
    const auto next = waiting.order.rbegin();
    const auto end = next + std::min(most, std::ssize(waiting.order));
    const auto other = std::find_if(
        next, end, [&](std::size_t position) { return device_at(position) != device_at(*next); });
    if (other - next > static_cast<std::ptrdiff_t>(room)) return group;
    for (auto at = next; at != other; ++at)
        enter(std::move(waiting.turns[*at]));
    waiting.order.resize(waiting.order.size() - group.size());
    return group;
}

Awaitable<std::vector<Pass::Turn>> Pass::admissible(std::vector<Turn> admitted) {
    std::vector<Turn> group;
    for (Turn& turn : admitted) {
        const bool is_current = co_await ring_is_current(state_of(turn.partition.policy_index));
        if (cancelled_) break;
        if (is_current && !is_left_out(turn.partition)) {
            group.push_back(std::move(turn));
            continue;
        }
        leave(turn);
        ++services_.stats.partitions_done;
        services_.stats.partition_failed(errc::cancelled);
    }
    co_return group;
}

void Pass::leave(Turn& turn) {
    turn.permit.release();
    if (Line* const line = std::exchange(turn.line, nullptr)) {
        --line->in_flight;
        --in_lines_;
    }
    left_.notify();
}

std::string Pass::crowded_target(const scan::PartitionJobs& jobs,
                                 const sync::Visits& visits) const {
    std::vector<std::string> names;
    const auto is_due = [&visits](const scan::Partner& partner) {
        const auto& chosen = visits.devices;
        return partner.round <= visits.round &&
               (chosen.empty() || std::ranges::find(chosen, partner.node.id) != chosen.end());
    };
    if (jobs.sync) {
        for (const scan::Partner& partner : jobs.sync->partners) {
            if (is_due(partner)) names.push_back(partner.node.replication_name());
        }
    }
    if (visits.round == 0) {
        for (const scan::RevertJob& job : jobs.reverts) {
            for (const scan::Partner& target : job.targets)
                names.push_back(target.node.replication_name());
        }
    }
    const auto crowded = std::ranges::find_if(names, [this](const std::string& name) {
        return services_.targets.of(name).has_waiters();
    });
    return crowded == names.end() ? std::string() : *crowded;
}

Awaitable<void> Pass::run_group(std::vector<Turn> group) {
    if (group.empty()) co_return;
    std::optional<sync::Activity> activity(
        std::in_place, services_.activities,
        "partitions of " + group.front().partition.local_device.device, [] {});
    activity->doing("reads suffix hashes");
    auto look = [this, &group, random = Random(random_())]() mutable {
        for (Turn& turn : group) {
            const PolicyState& state = state_of(turn.partition.policy_index);
            if (auto jobs = settled_jobs(turn.partition, state, random))
                turn.looked = std::make_unique<HashedJobs>(std::move(*jobs));
        }
        return true;
    };
    co_await sync::on_disk(services_, std::move(look));
    activity.reset();
    for (Turn& turn : group)
        partitions_.spawn(run_partition(std::move(turn)));
}

Awaitable<bool> Pass::ring_is_current(PolicyState& state) {
    if (changed_policies_.contains(state.policy.index)) co_return false;
    const auto now = services_.clock.steady();
    auto& next_check = next_ring_checks_.try_emplace(state.policy.index, began_).first->second;
    if (now < next_check) co_return true;
    next_check = now + std::chrono::milliseconds(static_cast<std::int64_t>(
                           services_.options.ring_check_interval_s * 1000));
    auto look = [file = state.ring_file.get()] { return file->has_changed(); };
    const auto changed = co_await sync::on_disk(services_, std::move(look));
    if (changed.has_error() || !changed.value()) co_return true;
    changed_policies_.insert(state.policy.index);
    services_.log.info("Ring change detected for policy " + std::to_string(state.policy.index) +
                       " (" + state.policy.name +
                       "). Aborting current reconstruction pass for this policy.");
    co_return false;
}

Awaitable<void> Pass::run_partition(Turn turn) {
    const auto start = services_.clock.steady();
    const auto ended = co_await run_jobs(turn, state_of(turn.partition.policy_index));
    turn.spent += services_.clock.steady() - start;
    leave(turn);
    if (!ended.crowded_target.empty()) {
        lines_[ended.crowded_target].turns.push_back(std::move(turn));
    } else if (!ended.is_done) {
        put_off_.push_back(std::move(turn));
    } else if (!cancelled_) {
        ++services_.stats.partitions_done;
        services_.stats.partition_times.push_back(turn.spent);
    }
}

Awaitable<std::optional<Pass::HashedJobs>> Pass::hash(const scan::Partition& partition,
                                                      const PolicyState& state,
                                                      bool is_second_look) {
    auto derive = [&partition, &state, is_second_look, random = Random(random_())]() mutable {
        return make_jobs(partition, state, is_second_look, random);
    };
    sync::Activity activity(services_.activities, partition.path, [] {});
    activity.doing("hashes its suffixes");
    auto derived = co_await sync::on_disk(services_, std::move(derive));
    if (derived.has_value()) co_return std::move(derived.value());
    const auto& error = derived.error();
    if (error == errc::not_found) co_return std::nullopt;  // Removed since it was listed.
    if (error == errc::bad_name) {
        services_.log.warning("Unexpected entity '" + partition.path + "' is not a directory");
        co_return std::nullopt;
    }
    services_.log.error("Unable to hash partition " + partition.path + ": " + to_string(error));
    services_.stats.partition_failed(error.code);
    co_return std::nullopt;
}

Awaitable<Pass::Ended> Pass::run_jobs(Turn& turn, PolicyState& state) {
    const scan::Partition& partition = turn.partition;
    std::optional<HashedJobs> derived;
    if (const auto looked = std::exchange(turn.looked, nullptr))
        derived = std::move(*looked);
    else
        derived = co_await hash(partition, state, turn.visits.round > 0);
    if (!derived) co_return Ended{};
    const scan::PartitionJobs& jobs = derived->jobs;
    services_.stats.suffixes_hashed += derived->suffixes_hashed;
    services_.metrics.count("suffix.hashes", static_cast<std::int64_t>(derived->suffixes_hashed));
    if (turn.line == nullptr) {
        Ended stands_back{.crowded_target = crowded_target(jobs, turn.visits)};
        if (!stands_back.crowded_target.empty()) co_return stands_back;
    }
    const sync::PolicyContext context{state.policy, state.ring, state.disk};
    if (turn.visits.round == 0) {
        if (derived->has_failed_suffixes) services_.stats.partition_failed(errc::io);
        for (const auto& warning : jobs.warnings)
            services_.log.warning(warning);
        if (jobs.is_removable && !derived->has_failed_suffixes) {
            co_await remove_partition(partition, state);
            co_return Ended{};
        }
        // Delivering is cheap beside rebuilding, and may spare others a rebuild.
        co_await run_reverts(partition, jobs.reverts, context);
    }
    if (!jobs.sync || cancelled_ || is_left_out(partition)) co_return Ended{};
    sync::SyncJobRun run(services_, context, *jobs.sync, turn.visits);
    running_.emplace_back(&run, &partition);
    co_await run.run();
    std::erase(running_, std::pair(&run, &partition));
    turn.visits = run.take_rest();
    co_return Ended{.is_done = turn.visits.devices.empty()};
}

Awaitable<void> Pass::run_reverts(const scan::Partition& partition,
                                  const std::vector<scan::RevertJob>& reverts,
                                  const sync::PolicyContext& context) {
    for (const scan::RevertJob& job : reverts) {
        if (cancelled_ || is_left_out(partition)) co_return;
        sync::RevertJobRun run(services_, context, job);
        reverting_.emplace_back(&run, &partition);
        co_await run.run();
        std::erase(reverting_, std::pair(&run, &partition));
    }
}

Awaitable<void> Pass::remove_partition(const scan::Partition& partition, const PolicyState& state) {
    auto remove = [disk = state.disk, device = partition.local_device.device,
                   name = partition.name] {
        return swift::remove_empty_partition(disk, device, name);
    };
    const auto removed = co_await sync::on_disk(services_, std::move(remove));
    if (removed.has_error()) {
        // Somebody is at work there: it may not be empty any longer.
        if (removed.error() == errc::lock_timeout) co_return;
        services_.log.error("Unable to remove partition " + partition.path + ": " +
                            to_string(removed.error()));
        services_.stats.partition_failed(removed.error().code);
    } else if (!removed.value()) {
        services_.log.warning("Unexpected entity in '" + partition.path + "' (left alone)");
    }
}

void Pass::cancel(sync::Ending ending) {
    cancelled_ = true;
    services_.stats.stopped = true;
    end_jobs(ending, [](const scan::Partition&) { return true; });
    left_.notify();
}

void Pass::end_jobs(sync::Ending ending,
                    const std::function<bool(const scan::Partition&)>& is_meant) {
    for (const auto& [run, partition] : running_) {
        if (is_meant(*partition)) run->cancel(ending);
    }
    for (const auto& [run, partition] : reverting_) {
        if (is_meant(*partition)) run->cancel(ending);
    }
    services_.gate.wake_all();
}

bool Pass::is_left_out(const scan::Partition& partition) const {
    return std::ranges::any_of(left_out_, [&](const WorkChoice& choice) {
        return choice.fits(partition.local_device.device, partition.name);
    });
}

Result<void> Pass::cancel(const WorkChoice& choice, sync::Ending ending) {
    if (left_out_.size() >= choices_max)
        return Error{errc::limit, "too much of this pass is cancelled piece by piece"};
    left_out_.push_back(choice);
    if (!choice.object.empty()) {
        if (!policies_.empty()) {
            services_.suspects.give_up(
                swift::object_hash_of(policies_.front().disk, choice.object));
        }
        return {};
    }
    services_.stats.partition_failed(errc::cancelled);
    end_jobs(ending, [this](const scan::Partition& partition) { return is_left_out(partition); });
    return {};
}

void Pass::log_stats() const {
    const auto& stats = services_.stats;
    const double elapsed = std::max(seconds(), 1e-6);
    if (stats.devices == 0 || stats.partitions == 0) {
        services_.log.info("Nothing reconstructed for " + swift::json_number(elapsed) +
                           " seconds.");
        return;
    }
    const auto done = static_cast<double>(stats.partitions_done);
    const auto total = static_cast<double>(stats.partitions);
    const double left = done > 0 ? elapsed / done * (total - done) : 0;
    services_.log.info(format_stats(
        "%.0f/%.0f (%.2f%%) partitions reconstructed in %.2fs (%.2f/sec, %s remaining)", done,
        total, done * 100 / total, elapsed, done / elapsed, eta_text(left).c_str()));
    if (stats.suffixes_checked == 0 || stats.partition_times.empty()) return;
    const auto checked = static_cast<double>(stats.suffixes_checked);
    // Swift 2.30.1 never counts what it hashes, so its line always says zero.
    services_.log.info(format_stats("%.0f suffixes checked - %.2f%% hashed, %.2f%% synced", checked,
                                    0.0,
                                    static_cast<double>(stats.suffixes_synced) * 100 / checked));
    auto times = stats.partition_times;
    std::sort(times.begin(), times.end());
    services_.log.info(format_stats("Partition times: max %.4fs, min %.4fs, med %.4fs",
                                    times.back().count(), times.front().count(),
                                    times[times.size() / 2].count()));
}

}  // namespace fragmend::app
