// The invariants, as a world sees them from outside.
#include <algorithm>
#include <string>

#include "tests/sim/world.hpp"

namespace fragmend::sim {

/// After every event: memory, sessions, links are within their bounds.
void World::check_bounds() {
    if (budget_->in_use_bytes() > budget_->capacity_bytes()) violation("more lent than there is");
    if (buffers_->leased_bytes() > budget_->in_use_bytes()) {
        violation("slabs of " + std::to_string(buffers_->leased_bytes()) + " bytes, lent are " +
                  std::to_string(budget_->in_use_bytes()));
    }
}

/// At the moment in which a receiver has a whole body, and would commit it.
void World::check_delivery(const Delivery& delivery) {
    ++tally_.commits;
    const std::string subject = delivery.path + " at " + delivery.target.replication_name();
    note(delivery.body.size());
    note(delivery.target.id);
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
    if (!handed_off && !missing().empty() && !pass.stats.work_remains() &&
        !pass.stats.anything_unrecoverable()) {
        violation("something is missing and the pass says that all is done");
    }
    if (!stormy && !pass.stats.failed_sessions.empty()) {
        violation("a session failed in a quiet pass");
    }
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
            if (held != objects.end() && held->second.version == version) continue;
            int good = 0;
            for (const Node& node : primaries) {
                if (node.id == partner.node.id) continue;
                const auto& theirs =
                    node.id == local_device_ ? disk_.objects : peer_of(node.id).objects;
                const auto fragment = theirs.find(version->hash);
                good += fragment != theirs.end() && fragment->second.version == version &&
                        fragment->second.damage == Damage::none;
            }
            if (!version->tombstone && version->archive_bytes > 0 && good < policy_.policy.k) {
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
}

}  // namespace fragmend::sim
