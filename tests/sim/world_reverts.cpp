// What belongs elsewhere and lies on the local disk: drawn, changed by others, sent away, removed.
#include <algorithm>
#include <utility>

#include "tests/sim/world.hpp"

namespace fragmend::sim {

namespace {

std::uint32_t partition_of(const Version& version) {
    return static_cast<std::uint32_t>(std::stoul(version.partition));
}

}  // namespace

void World::draw_strays() {
    for (const std::uint32_t partition : handoffs_)
        disk_.handoffs.insert(std::to_string(partition));
    if (!dice_.chance(60)) return;
    // Beside this node's own fragment of the same version.
    for (std::uint64_t i = dice_.draw(3); i > 0; --i) {
        const Version& version = *peers_.versions[dice_.draw(peers_.versions.size())];
        const auto own = disk_.objects.find(version.hash);
        const auto index = static_cast<int>(dice_.draw(rows_.size()));
        if (version.tombstone || own == disk_.objects.end() || own->second.index == index) continue;
        add_stray({&version, index, version.archive_bytes > 0 ? draw_damage() : Damage::none});
    }
    std::vector<std::uint32_t> places = handoffs_;
    places.push_back(0);
    for (const std::uint32_t partition : places) {
        for (std::uint64_t i = dice_.draw(4); i > 0; --i)
            draw_stray(partition);
    }
}

void World::draw_stray(std::uint32_t partition) {
    const auto own = policy_.ring->primary_index(partition, local_device_);
    Version& version = draw_version(partition);
    peers_.versions.push_back(&version);
    version.tombstone = !own && dice_.chance(35);
    if (version.tombstone) {
        version.meta.reset();
        for (std::size_t place = 0; place < rows_.size(); ++place)
            draw_target(version, place);
        return add_stray({&version, tombstone_index});
    }
    const bool durable = dice_.chance(60);
    for (std::uint64_t i = dice_.between(1, 2); i > 0; --i) {
        const std::size_t place = dice_.draw(rows_.size());
        if (own == place) continue;
        draw_target(version, place);
        const Damage damage = version.archive_bytes > 0 ? draw_damage() : Damage::none;
        add_stray({&version, static_cast<int>(place), damage, durable});
    }
}

void World::add_stray(const Held& held) {
    disk_.strays.insert({{held.version->hash, held.index}, held});
    piece_bytes_max_ =
        std::max(piece_bytes_max_, static_cast<std::size_t>(held.version->archive_bytes));
    const auto [at, is_new] = strays_seen_.try_emplace(held.version, held.durable);
    at->second = at->second && held.durable;
}

/// What the one has for whom something lies here: mostly nothing.
void World::draw_target(const Version& version, std::size_t place) {
    const std::uint32_t device = rows_[place][partition_of(version)];
    Held held{&version, static_cast<int>(place)};
    if (dice_.chance(60)) return;
    if (dice_.chance(25)) {
        held.durable = version.tombstone || dice_.chance(50);
        if (!version.tombstone && version.archive_bytes > 0) held.damage = draw_damage();
    } else {
        Version& other = versions_.emplace_back(version);
        other.tombstone = false;
        other.data.raw += dice_.chance(50) ? -1000 : 1000;
        other.seed = dice_.next();
        held.version = &other;
    }
    store(peer_of(device).objects, held);
}

void World::change_a_stray() {
    if (dice_.chance(50))
        commit_a_stray();
    else
        put_a_stray();
}

/// A proxy finishes a PUT of which it had sent a fragment to this node.
void World::commit_a_stray() {
    for (auto& [name, held] : disk_.strays) {
        if (!held.durable) strays_changed_at_ = VirtualTime::now();
        held.durable = true;
    }
}

/// A proxy that does not reach a primary writes to this node instead.
void World::put_a_stray() {
    if (disk_.strays.empty()) return;
    auto at = disk_.strays.begin();
    std::advance(at, dice_.draw(disk_.strays.size()));
    const Held before = at->second;
    const std::string hash = before.version->hash;
    if (disk_.objects.contains(hash)) return;
    Version& version = versions_.emplace_back(*before.version);
    version.data.raw += 300;  // Twice that is still no time of another version.
    version.tombstone = false;
    version.meta.reset();
    version.seed = dice_.next();
    peers_.versions.push_back(&version);
    // A durable fragment makes everything older obsolete.
    std::erase_if(disk_.strays, [&hash](const auto& entry) { return entry.first.first == hash; });
    const auto own = policy_.ring->primary_index(partition_of(version), local_device_);
    auto index = before.version->tombstone ? dice_.draw(rows_.size())
                                           : static_cast<std::uint64_t>(before.index);
    if (own == index) index = (index + 1) % rows_.size();
    add_stray({&version, static_cast<int>(index)});
    strays_changed_at_ = VirtualTime::now();
}

/// At the moment in which a receiver has a whole body of a revert.
void World::check_reverted(const Delivery& delivery) {
    const std::string subject = delivery.path + " at " + delivery.target.replication_name();
    const auto header = [&delivery](const char* name) {
        const auto found = delivery.headers.find(name);
        return found == delivery.headers.end() ? std::string() : found->second;
    };
    const Version* version = peers_.version_at(delivery.path, header("x-timestamp"));
    const auto seen = strays_seen_.find(version);
    if (version == nullptr || seen == strays_seen_.end() ||
        version->partition != delivery.partition) {
        return violation("what nobody had goes to " + subject);
    }
    if (header("x-object-sysmeta-ec-frag-index") != std::to_string(delivery.node_index)) {
        return violation("another fragment than the session's goes to " + subject);
    }
    const auto& truth = truth_.of(*version, static_cast<std::uint8_t>(delivery.node_index));
    if (delivery.body != truth.bytes || header("etag") != truth.md5) {
        return violation("wrong bytes of " + subject + " were reverted whole");
    }
    const bool commits = header("x-backend-no-commit").empty();
    const auto index = delivery.node_index;
    const auto now = disk_.strays.find({version->hash, index});
    const bool is_durable_now =
        now == disk_.strays.end() || now->second.version != version || now->second.durable;
    if (commits ? !seen->second && !is_durable_now : seen->second) {
        violation(subject + (commits ? " is committed and was not" : " was durable and is not"));
    }
}

/// Whether `device` needs nothing of `held` any more as the primary at `place`.
bool World::has_taken(std::uint32_t device, std::size_t place, const Held& held) {
    const Version& version = *held.version;
    const auto& theirs = peer_of(device).objects;
    const auto at = theirs.find(version.hash);
    if (at == theirs.end()) return false;
    const Held& has = at->second;
    if (has.version->data != version.data) return has.version->data > version.data;
    const bool is_good = has.index == static_cast<int>(place) && has.damage == Damage::none &&
                         (has.durable || !held.durable);
    return has.version == &version && (version.tombstone || is_good);
}

void World::check_purge(const Pass& pass, const Held& held, const swift::PurgeRequest& request) {
    ++tally_.purged;
    const Version& version = *held.version;
    const std::string subject = version.path + " #" + std::to_string(held.index);
    if (!disk_.is_locked(version.partition)) violation(subject + " is removed without the lock");
    if (disk_.objects.contains(version.hash) && &disk_.objects.at(version.hash) == &held &&
        !version.tombstone) {
        violation(subject + " is removed from its own primary");
    }
    // Tombstones alone go to as many as make sure that no k fragments come back.
    const std::size_t targets =
        request.frag_index ? 1 : static_cast<std::size_t>(policy_.policy.m) + 1;
    std::size_t taken = 0;
    for (std::size_t place = 0; place < rows_.size(); ++place) {
        if (request.frag_index && static_cast<std::size_t>(*request.frag_index) != place) continue;
        // What the one who said so has may have followed a ring change since.
        bool said = false, has = false;
        for (const swift::RingPtr& ring : pass.rings) {
            const std::uint32_t device = ring->primaries(partition_of(version))[place].id;
            said = said || reverted_to_.contains({version.partition, device});
            has = has || has_taken(device, place, held);
        }
        taken += said && has;
    }
    if (taken < targets) violation(subject + " is removed here and not where it belongs");
}

/// What this node could have got rid of, one line each.
std::vector<std::string> World::strays_left() {
    const bool all_take = std::ranges::all_of(
        peers_.all(), [](const auto& entry) { return entry.second->takes_non_durable; });
    std::vector<std::string> lines;
    for (const auto& [name, held] : disk_.strays) {
        if (held.durable || all_take)
            lines.push_back(held.version->path + " #" + std::to_string(held.index));
    }
    return lines;
}

}  // namespace fragmend::sim
