// The invariants, as a world sees them from outside.
#include <algorithm>
#include <string>

#include "host/scan/turns.hpp"
#include "tests/sim/world.hpp"

namespace fragmend::sim {

namespace {

/// Beside what objects are charged for: sessions, suffix hashes, survivors asked beyond the plan.
constexpr std::size_t uncharged_bytes_max = 8 * 1024;
/// Between a look at the ring file, or at the gate, and the turn that begins after it.
constexpr std::chrono::milliseconds turn_delay_max{1000};

}  // namespace

/// After every event: memory, sessions, links are within their bounds.
void World::check_bounds() {
    if (budget_->in_use_bytes() > budget_->capacity_bytes()) violation("more lent than there is");
    if (buffers_->leased_bytes() + buffers_->claimed_bytes() > budget_->in_use_bytes()) {
        violation("slabs of " + std::to_string(buffers_->leased_bytes()) + " bytes, lent are " +
                  std::to_string(budget_->in_use_bytes()));
    }
    // What fits with its slabs alone takes all there is; the buffers of its survivors are on top.
    const std::size_t on_top =
        budget_->in_use_bytes() == budget_->capacity_bytes()
            ? static_cast<std::size_t>(policy_.policy.k) * rebuild_limits_.survivor_bytes
            : 0;
    if (buffers_->leased_bytes() + network_.buffered >
        budget_->in_use_bytes() + uncharged_bytes_max + on_top) {
        violation("slabs of " + std::to_string(buffers_->leased_bytes()) +
                  " bytes and buffers of " + std::to_string(network_.buffered) +
                  " bytes, lent are " + std::to_string(budget_->in_use_bytes()));
    }
}

/// At the moment in which a session's head arrives.
void World::check_may_begin(const Pass& pass, const std::string& partition, Moment began) {
    if (pass.gate.is_closed() && began > gate_closed_at_)
        violation("a session of " + partition + " begins while the gate is closed");
    const auto left_out = pass.left_out.find(partition);
    if (left_out != pass.left_out.end() && began > left_out->second)
        violation("a session begins of " + partition + ", which was cancelled");
}

bool World::check_session(Pass& pass, const Node& target, const std::string& partition, int index) {
    const bool is_revert = disk_.is_locked(partition);
    const auto number = static_cast<std::uint32_t>(std::stoul(partition));
    const auto place = static_cast<std::size_t>(index);
    // To the primary of that fragment, or to a handoff in its place; a revert has no business
    // there.
    const bool fits = std::ranges::any_of(pass.rings, [&](const swift::RingPtr& ring) {
        const auto primary = ring->primary_index(number, target.id);
        return primary ? *primary == place : !is_revert;
    });
    if (!fits) {
        violation(target.replication_name() + " is to get fragment " + std::to_string(index) +
                  ", which is another primary's");
    }
    if (is_revert) {
        reverted_to_.erase({partition, target.id});
        ++tally_.reverts_failed;
    }
    // Its lock may be gone when this arrives.
    if (pass.cancelled || pass.left_out.contains(partition)) return is_revert;
    const auto own = policy_.ring->primary_index(number, local_device_);
    if (!own && !is_revert) {
        violation("rebuilt fragments go out, and this node is no primary of " + partition);
        return false;
    }
    const std::size_t round = is_revert ? 0 : scan::round_of(number, *own, rows_.size());
    tally_.later_rounds += round > 0;
    // A turn that stands back from a crowded target comes again, once a round.
    const std::size_t turns = pass.turns[partition];
    tally_.stood_back += turns > round + 1;
    if (turns <= round || turns > 2 * (round + 1)) {
        violation("a session with " + target.replication_name() + " in turn " +
                  std::to_string(pass.turns[partition]) + " of its partition, of which round " +
                  std::to_string(round) + " is ours");
    }
    return is_revert;
}

/// When a partition's turn has begun.
void World::check_turn(const sync::Gate& gate) {
    const auto interval =
        std::chrono::milliseconds(static_cast<std::int64_t>(options_.ring_check_interval_s * 1000));
    const Moment now = VirtualTime::now();
    if (policy_states_.front().ring != cluster_files().ring &&
        now - cluster_files().changed_at > interval + turn_delay_max) {
        violation("a turn begins by a ring that was replaced long ago");
    }
    if (gate.is_closed() && now - gate_closed_at_ > turn_delay_max)
        violation("a turn begins while the gate is closed");
}

void World::check_order(Pass& pass, const std::string& partition) {
    // Groups are looked at side by side, and before the later ones more may have become known.
    if (partitions_.size() + handoffs_.size() > sync::group_max(partitions_in_flight())) return;
    const auto lost_of = [this](std::uint32_t number) {
        const auto ids = policy_states_.front().ring->primary_ids(number);
        const auto is_lost = [this](std::uint32_t id) {
            return risks_.losses().contains({policy_.policy.index, id});
        };
        return static_cast<std::size_t>(std::ranges::count_if(ids, is_lost));
    };
    if (pass.looked.empty()) {
        for (const auto& numbers : {partitions_, handoffs_}) {
            for (const std::uint32_t number : numbers)
                pass.lost[std::to_string(number)] = lost_of(number);
        }
    }
    const auto node = pass.lost.extract(partition);
    if (node.empty()) return;
    const std::size_t lost = node.mapped();
    if (!pass.looked.empty() && lost != pass.looked.back()) {
        tally_.ordered += pass.looked.back() == pass.looked.front();
        if (lost > pass.looked.back())
            violation("partition " + partition + " of greater risk than its neighbours waits");
    }
    pass.looked.push_back(lost);
}

/// At the moment in which a receiver has a whole body, and would commit it.
void World::check_delivery(const Delivery& delivery) {
    ++tally_.commits;
    const std::string subject = delivery.path + " at " + delivery.target.replication_name();
    note(static_cast<std::uint64_t>(VirtualTime::now().time_since_epoch().count()));
    note(delivery.body.size());
    note(delivery.target.id);
    if (delivery.is_revert) return check_reverted(delivery);
    const Version* version = peers_.version_of(delivery.path);
    if (version == nullptr || version->tombstone || version->partition != delivery.partition) {
        return violation("nobody asked for " + subject);
    }
    const auto header = [&delivery](const char* name) {
        const auto found = delivery.headers.find(name);
        return found == delivery.headers.end() ? std::string() : found->second;
    };
    const auto wanted = static_cast<std::uint8_t>(delivery.node_index);
    if (header("x-object-sysmeta-ec-frag-index") != std::to_string(delivery.node_index)) {
        return violation("another fragment than the session's goes to " + subject);
    }
    if (header("x-timestamp") != version->data.internal()) {
        return violation("another version's time goes to " + subject);
    }
    if (delivery.body != truth_.of(*version, wanted).bytes) {
        return violation("wrong bytes of " + subject + " were sent whole");
    }
    if (version->archive_bytes == 0) return;
    const Evidence* evidence = codec_.evidence(version->seed, wanted);
    if (evidence == nullptr || !evidence->whole() ||
        evidence->survivors != static_cast<std::size_t>(policy_.policy.k)) {
        return violation(subject + " was sent whole before all its sources were verified");
    }
}

/// `Survivor frag#1 at <name> left out while rebuilding <path> policy#...`
void World::check_blame(std::string_view line) {
    ++tally_.culprits;
    const auto between = [line](std::string_view before, std::string_view after) {
        const auto from = line.find(before) + before.size();
        return std::string(line.substr(from, line.find(after, from) - from));
    };
    const std::string name = between(" at ", " left out while rebuilding ");
    const std::string path = between(" left out while rebuilding ", " policy#");
    std::uint32_t device = local_device_;
    for (const auto& [address, peer] : peers_.all()) {
        if (peer->node.replication_name() == name) device = peer->node.id;
    }
    if (!peers_.misbehaved.contains({path, device})) {
        violation("blamed without a reason: " + std::string(line));
    }
    blamed_.insert({path, device});
}

void World::check_pass(const Pass& pass, bool stormy) {
    if (budget_->in_use_bytes() != 0) violation("memory is still lent after a pass");
    if (buffers_->leased_bytes() != 0) violation("slabs are still out after a pass");
    if (sessions_->in_use() != 0 || replicate_calls_->in_use() != 0) {
        violation("sessions or calls are still counted after a pass");
    }
    if (network_.links != client_->pool().idle()) {
        violation(std::to_string(network_.links) + " links are open after a pass, idle are " +
                  std::to_string(client_->pool().idle()));
    }
    for (const auto& [address, peer] : peers_.all()) {
        if (peer->sessions_peak > static_cast<int>(sessions_per_device_)) {
            violation(std::to_string(peer->sessions_peak) + " sessions at a time into " +
                      peer->node.replication_name());
        }
        peer->sessions_peak = 0;
    }
    if (pass.cancelled) return;
    // What an unmounted device should have is done once a handoff has it.
    const bool handed_off = std::ranges::any_of(
        peers_.all(), [](const auto& entry) { return entry.second->mood == Mood::unmounted; });
    const bool ring_changed = pass.rings.size() > 1;  // Perhaps after its last turn had begun.
    if (!handed_off && !ring_changed && !missing().empty() && !pass.stats.work_remains() &&
        !pass.stats.anything_unrecoverable()) {
        violation("something is missing and the pass says that all is done");
    }
    if (!ring_changed && strays_changed_at_ < pass.began && !strays_left().empty() &&
        !pass.stats.work_remains()) {
        violation("something belongs elsewhere and the pass says that all is done");
    }
    if (!stormy && !pass.stats.failed_sessions.empty()) {
        violation("a session failed in a quiet pass");
    }
}

int World::good_fragments(const Version& version, std::uint32_t except) {
    const auto partition = static_cast<std::uint32_t>(std::stoul(version.partition));
    const auto primaries = policy_.ring->primaries(partition);
    int good = 0;
    for (std::size_t place = 0; place < primaries.size(); ++place) {
        const std::uint32_t device = primaries[place].id;
        if (device == except) continue;
        const auto& theirs = device == local_device_ ? disk_.objects : peer_of(device).objects;
        const auto held = theirs.find(version.hash);
        good += held != theirs.end() && held->second.version == &version &&
                held->second.index == static_cast<int>(place) &&
                held->second.damage == Damage::none;
    }
    return good;
}

/// Partners that lack an object which enough good fragments still tell, one line each.
std::vector<std::string> World::missing() {
    std::vector<std::string> lines;
    for (const Version* version : peers_.versions) {
        const auto partition = static_cast<std::uint32_t>(std::stoul(version->partition));
        const auto primaries = policy_.ring->primaries(partition);
        const auto place = policy_.ring->primary_index(partition, local_device_);
        if (!disk_.objects.contains(version->hash)) continue;  // Nobody offers it any more.
        for (const auto& partner : scan::partners_of(*place, primaries)) {
            const auto& objects = peer_of(partner.node.id).objects;
            const auto held = objects.find(version->hash);
            // Whoever has a newer version does not want this one.
            const bool has = held != objects.end() && held->second.version->data >= version->data &&
                             (version->tombstone ||
                              held->second.index == static_cast<int>(partner.primary_index));
            if (has) continue;
            if (!version->tombstone && version->archive_bytes > 0 &&
                good_fragments(*version, partner.node.id) < policy_.policy.k) {
                continue;
            }
            lines.push_back(version->path + " at " + partner.node.replication_name());
        }
    }
    return lines;
}

void World::check_recovered() {
    for (const std::string& line : missing())
        violation("recoverable, and not recovered: " + line);
    for (const std::string& line : strays_left())
        violation("still in the wrong place: " + line);
    for (const std::string& partition : disk_.handoffs)
        violation("an empty partition stays: " + partition);
}

}  // namespace fragmend::sim
