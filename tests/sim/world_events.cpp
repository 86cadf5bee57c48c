// What comes over a pass while it runs: it is cancelled or paused, the engine goes, the ring
// changes, others work.
#include <algorithm>
#include <utility>

#include "tests/sim/world.hpp"

namespace fragmend::sim {

void World::schedule_trouble(Pass& pass, app::Pass& run) {
    if (dice_.chance(25)) {
        const Duration delay(dice_.draw(dice_.chance(70) ? 60'000'000 : 20'000'000'000));
        network_.timeline.after(delay, [this, &pass, &run] {
            if (tasks_.running() == 0) return;
            pass.cancelled = true;
            ++tally_.cancelled_passes;
            run.cancel(sync::Ending::now);
        });
    }
    for (std::uint64_t i = dice_.chance(25) ? dice_.between(1, 3) : 0; i > 0; --i) {
        const Duration delay(dice_.draw(dice_.chance(70) ? 60'000'000 : 20'000'000'000));
        const Version& version = *peers_.versions[dice_.draw(peers_.versions.size())];
        network_.timeline.after(delay, [this, &pass, &version] {
            if (tasks_.running() == 0) return;
            ++tally_.cancelled_objects;
            pass.suspects.give_up(version.hash);
        });
    }
    if (dice_.chance(20)) {
        const Duration delay(dice_.draw(dice_.chance(70) ? 60'000'000 : 20'000'000'000));
        app::WorkChoice choice;
        if (dice_.chance(60)) choice.partition = std::to_string(dice_.draw(partition_count_));
        if (choice.partition.empty() || dice_.chance(50)) choice.device = "sd0";
        const auto ending = dice_.chance(50) ? sync::Ending::now : sync::Ending::after_session;
        network_.timeline.after(delay, [this, &pass, &run, choice, ending] {
            if (tasks_.running() == 0) return;
            ++tally_.cancelled_parts;
            for (std::uint32_t partition = 0; partition < partition_count_; ++partition) {
                if (choice.fits("sd0", std::to_string(partition)))
                    pass.left_out.emplace(std::to_string(partition), VirtualTime::now());
            }
            static_cast<void>(run.cancel(choice, ending));
        });
    }
    if (dice_.chance(25)) {
        network_.timeline.after(Duration(dice_.draw(50'000'000)), [this] { codec_.lost = true; });
        network_.timeline.after(Duration(60'000'000 + dice_.draw(2'000'000'000)),
                                [this] { codec_.lost = false; });
    }
    if (dice_.chance(25)) {
        const Duration delay(dice_.draw(dice_.chance(60) ? 100'000'000 : 5'000'000'000));
        network_.timeline.after(delay, [this, &pass] { change_ring(pass); });
    }
    if (dice_.chance(15)) {
        const Duration closed(dice_.draw(200'000'000));
        network_.timeline.after(closed, [this, &pass] {
            pass.gate.close();
            gate_closed_at_ = VirtualTime::now();
        });
        network_.timeline.after(closed + Duration(dice_.draw(10'000'000'000)),
                                [&pass] { pass.gate.open(); });
    }
    if (dice_.chance(30)) {
        const Duration delay(dice_.draw(3'000'000'000));
        network_.timeline.after(delay, [this] { let_a_neighbour_rebuild(); });
    }
    if (!disk_.strays.empty() && dice_.chance(50)) {
        const Duration delay(dice_.draw(dice_.chance(70) ? 60'000'000 : 5'000'000'000));
        network_.timeline.after(delay, [this] { change_a_stray(); });
    }
    if (dice_.chance(20)) {
        const Duration delay(dice_.draw(dice_.chance(70) ? 60'000'000 : 5'000'000'000));
        network_.timeline.after(delay, [this, &pass, &run] { kill(pass, run); });
    }
}

void World::kill(Pass& pass, app::Pass& run) {
    if (tasks_.running() == 0) return;
    ++tally_.kills;
    network_.client_is_dead = true;
    disk_.process_is_dead = true;
    // Only so that its coroutines end; nobody hears of what they still do.
    pass.cancelled = true;
    run.cancel(sync::Ending::now);
}

void World::start_again() {
    client_->pool().close();
    drive();
    client_ = std::make_unique<transport::http::Client>(io_.get_executor(), "obj-reconstructor 1",
                                                        clock_);
    risks_ = {};
    network_.client_is_dead = false;
    disk_.process_is_dead = false;
}

void World::change_ring(Pass& pass) {
    const std::uint64_t before = tally_.ring_changes;
    std::vector<std::uint32_t> partitions = partitions_;
    partitions.insert(partitions.end(), handoffs_.begin(), handoffs_.end());
    for (const std::uint32_t partition : partitions) {
        auto& replica = rows_[dice_.draw(rows_.size())][partition];
        std::vector<std::uint32_t> free;
        for (std::uint32_t device = 0; device < device_count_; ++device) {
            const bool is_primary = std::ranges::any_of(
                rows_, [&](const auto& row) { return row[partition] == device; });
            const bool has_something =
                std::ranges::any_of(peer_of(device).objects, [&](auto& entry) {
                    return entry.second.version->partition == std::to_string(partition);
                });
            if (!is_primary && !has_something && device != local_device_) free.push_back(device);
        }
        if (replica == local_device_ || free.empty()) continue;
        const std::uint32_t device = free[dice_.draw(free.size())];
        const std::uint32_t left = std::exchange(replica, device);
        ++tally_.ring_changes;
        if (!dice_.chance(50)) continue;
        // Its own reconstructor takes along what it had.
        const Duration delay(dice_.draw(5'000'000'000));
        network_.timeline.after(delay, [this, left, device, partition] {
            auto& theirs = peer_of(left).objects;
            for (auto held = theirs.begin(); held != theirs.end();) {
                const bool moves = held->second.version->partition == std::to_string(partition);
                if (moves) store(peer_of(device).objects, held->second);
                held = moves ? theirs.erase(held) : std::next(held);
            }
        });
    }
    if (tally_.ring_changes == before) return;
    policy_.ring = make_ring();
    pass.rings.push_back(policy_.ring);
    cluster_files().ring = policy_.ring;
    cluster_files().changed_at = VirtualTime::now();
}

void World::let_a_neighbour_rebuild() {
    const Version& version = *peers_.versions[dice_.draw(peers_.versions.size())];
    const auto partition = static_cast<std::uint32_t>(std::stoul(version.partition));
    const auto primaries = policy_.ring->primaries(partition);
    const std::size_t place = dice_.draw(primaries.size());
    const std::uint32_t device = primaries[place].id;
    if (device == local_device_ || peer_of(device).objects.contains(version.hash)) return;
    if (!version.tombstone && good_fragments(version, device) < policy_.policy.k) return;
    peer_of(device).objects[version.hash] = {&version, static_cast<int>(place), Damage::none};
}

}  // namespace fragmend::sim
