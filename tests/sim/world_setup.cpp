// Drawing a world out of its seed: limits, ring, objects, weather.
#include <algorithm>
#include <numeric>
#include <utility>

#include "tests/sim/world.hpp"

namespace fragmend::sim {
namespace {

Node make_node(std::uint32_t id) {
    Node node;
    node.id = id;
    node.zone = id;
    node.ip = node.replication_ip = "10.0.0." + std::to_string(id + 1);
    node.port = node.replication_port = 6200;
    node.device = "sd" + std::to_string(id);
    node.weight = 1;
    return node;
}

std::string hex_of(Dice& dice, std::size_t digits) {
    static constexpr char characters[] = "0123456789abcdef";
    std::string text(digits, '0');
    for (char& c : text)
        c = characters[dice.draw(16)];
    return text;
}

}  // namespace

void World::draw_limits() {
    swift::Policy& policy = policy_.policy;
    policy.index = 1;
    policy.type = swift::PolicyType::erasure_coding;
    policy.ec_type = "sim";
    policy.k = dice_.chance(60) ? 3 : 5;
    policy.m = static_cast<int>(dice_.between(1, 3));
    const bool has_large_pieces = dice_.chance(10);
    policy.segment_bytes = static_cast<std::size_t>(policy.k) *
                           (has_large_pieces ? dice_.between(1500, 3000) : dice_.between(40, 700));
    options_.fragmend.read_ahead = static_cast<std::int64_t>(dice_.between(1, 5));
    rebuild_limits_.hold_back_bytes_max = dice_.chance(40) ? 1 << 20 : dice_.draw(1500);
    rebuild_limits_.output_slots = dice_.between(1, 4);
    rebuild_limits_.input_sets = dice_.between(1, 2);
    gather_limits_.hedge_delay =
        std::chrono::milliseconds(dice_.chance(30) ? 0 : dice_.between(100, 2000));
    rebuild_limits_.receive_whole_bytes_max = dice_.chance(50) ? 64 * 1024 : dice_.draw(2000);
    sessions_per_device_ = dice_.between(1, 2);
    // A link buffers little here; what an object and its survivors take is charged all the same.
    rebuild_limits_.object_bytes = 1024;
    rebuild_limits_.survivor_bytes = 4608;
    const std::size_t memory_bytes = dice_.between(64, 320) * 1024;
    options_.ring_check_interval_s = static_cast<double>(dice_.draw(3000)) / 1000;
    clock_.skew_units = static_cast<std::int64_t>(dice_.draw(20'000'000'000)) - 10'000'000'000;
    buffers_ = std::make_unique<BufferPool>(slabs_, dice_.chance(70) ? memory_bytes : 0);
    budget_ = std::make_unique<scheduler::MemoryBudget>(io_.get_executor(), memory_bytes);
    scheduler::DispatcherLimits dispatch{dice_.between(1, 3), dice_.between(1, 8),
                                         dice_.between(1, 6000), dice_.between(1, 20)};
    dispatch.inline_bytes_max = dice_.chance(50) ? dice_.draw(4000) : 0;
    dispatch.fill_survivors = dice_.between(1, 16);
    offers_max_ = dice_.chance(50) ? dice_.between(1, 6) : 2048;
    if (dice_.chance(75))
        stash_ = std::make_unique<sync::Stash>(*budget_, memory_bytes / sync::stash_part);
    dispatcher_ = std::make_unique<scheduler::Dispatcher>(
        io_.get_executor(), SimPool(io_, network_, decode_speed_), codec_, dispatch);
    client_ = std::make_unique<transport::http::Client>(io_.get_executor(), "obj-reconstructor 1",
                                                        clock_);
    sessions_ = std::make_unique<Semaphore>(io_.get_executor(), dice_.between(1, 4));
    replicate_calls_ = std::make_unique<Semaphore>(io_.get_executor(), dice_.between(1, 3));
    policy_.disk.clock = &clock_;
    if (dice_.chance(35)) {
        throttle_ = std::make_unique<scheduler::Throttle>(io_.get_executor(), clock_,
                                                          rebuild_stats_, draw_throttle());
    }
}

/// Bytes here are few: rates at which an object takes from nothing to some ten seconds.
scheduler::ThrottleSettings World::draw_throttle() {
    const auto rate = [this] { return dice_.chance(60) ? 0 : dice_.between(500, 50'000); };
    scheduler::ThrottleSettings settings;
    settings.read = {rate(), rate(), rate()};
    settings.send = {rate(), rate(), rate()};
    settings.profile = static_cast<scheduler::Profile>(dice_.draw(3));
    return settings;
}

Peer& World::peer_of(std::uint32_t device) {
    return *peers_.find({make_node(device).replication_ip, make_node(device).replication_port});
}

void World::draw_ring() {
    const auto n = static_cast<std::uint32_t>(policy_.policy.unique_fragments());
    device_count_ = n + static_cast<std::uint32_t>(dice_.between(1, 3));
    for (std::uint32_t id = 0; id < device_count_; ++id)
        peers_.add(make_node(id));
    // Every partition has its own order of the devices; the local one is a primary of the first
    // two.
    rows_.resize(n);
    for (std::uint32_t partition = 0; partition < partition_count_; ++partition) {
        std::vector<std::uint32_t> order(device_count_);
        std::iota(order.begin(), order.end(), 0u);
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[dice_.draw(i)]);
        const auto mine = std::ranges::find(order, local_device_);
        const bool is_primary = mine - order.begin() < static_cast<std::ptrdiff_t>(n);
        if (partition < first_handoff_ ? !is_primary : is_primary)
            std::swap(*mine, partition < first_handoff_ ? order.front() : order.back());
        for (std::uint32_t row = 0; row < n; ++row)
            rows_[row].push_back(order[row]);
    }
    policy_.ring = make_ring();
    cluster_files() = {policy_.ring, VirtualTime::now(), dice_.next(), &disk_};
    partitions_.push_back(0);
    if (dice_.chance(40)) partitions_.push_back(1);
    for (std::uint32_t partition = first_handoff_; partition < partition_count_; ++partition) {
        if (dice_.chance(45)) handoffs_.push_back(partition);
    }
    app::PolicyState& state = policy_states_.emplace_back();
    state.policy = policy_.policy;
    state.disk = policy_.disk;
    state.ring_file =
        std::make_unique<swift::RingFile>("", policy_.policy, Logger(nullptr, LogLevel::critical));
}

swift::RingPtr World::make_ring() const {
    swift::RingParts parts;
    parts.part_shift = 30;
    for (std::uint32_t id = 0; id < device_count_; ++id)
        parts.devices.emplace_back(make_node(id));
    for (const auto& row : rows_) {
        for (const std::uint32_t device : row)
            parts.assignments.narrow.push_back(static_cast<std::uint16_t>(device));
    }
    return swift::Ring::make(std::move(parts)).value();
}

void World::draw_objects() {
    for (const std::uint32_t partition : partitions_) {
        const std::uint64_t count = dice_.between(1, 5);
        for (std::uint64_t i = 0; i < count; ++i) {
            const Version& version = draw_version(partition);
            peers_.versions.push_back(&version);
        }
    }
    for (const Version* version : std::vector(peers_.versions))
        place(*version);
}

Version& World::draw_version(std::uint32_t partition) {
    Version& version = versions_.emplace_back();
    // Few suffixes, so that several objects meet in one.
    version.hash = hex_of(dice_, 31) + (dice_.chance(50) ? "a" : "b");
    version.hash.replace(29, 2, "00");
    version.partition = std::to_string(partition);
    version.path = "/a/c/o" + std::to_string(versions_.size());
    version.data = {170'000'000'000'000 - static_cast<std::int64_t>(dice_.draw(1'000'000)),
                    dice_.chance(10) ? dice_.draw(3) : 0};
    version.ec_etag = hex_of(dice_, 32);
    version.seed = dice_.next();
    version.tombstone = dice_.chance(5);
    if (!version.tombstone && dice_.chance(10)) version.meta = {version.data.raw + 50, 0};
    const auto k = static_cast<std::size_t>(policy_.policy.k);
    version.piece_bytes = header_bytes + (policy_.policy.segment_bytes + k - 1) / k;
    // Sometimes the operator has changed the segment size since.
    if (dice_.chance(10)) version.piece_bytes = header_bytes + dice_.between(1, 900);
    if (dice_.chance(70)) version.segment_bytes = k * (version.piece_bytes - header_bytes);
    piece_bytes_max_ = std::max(piece_bytes_max_, version.piece_bytes);
    const std::uint64_t pieces = dice_.chance(50) ? dice_.between(0, 1) : dice_.between(2, 7);
    version.archive_bytes = pieces * version.piece_bytes;
    if (pieces == 0 ? !dice_.chance(10) : dice_.chance(60)) {
        version.archive_bytes +=
            header_bytes + dice_.between(1, version.piece_bytes - header_bytes);
    }
    return version;
}

Damage World::draw_damage() {
    if (!dice_.chance(8)) return Damage::none;
    return static_cast<Damage>(dice_.between(1, 4));
}

void World::place(const Version& version) {
    const auto primaries =
        policy_.ring->primaries(static_cast<std::uint32_t>(std::stoul(version.partition)));
    const auto place = policy_.ring->primary_index(
        static_cast<std::uint32_t>(std::stoul(version.partition)), local_device_);
    const auto partners = scan::partners_of(*place, primaries);
    for (std::size_t index = 0; index < primaries.size(); ++index) {
        const bool is_local = primaries[index].id == local_device_;
        const bool is_partner = std::ranges::any_of(
            partners, [&](const auto& partner) { return partner.node.id == primaries[index].id; });
        if (!is_local && dice_.chance(is_partner ? 60 : 8)) {
            // Lost, or still at an older version; or at one that this node has missed, stamped by
            // a proxy whose clock may be ahead of ours.
            if (!dice_.chance(25) || version.tombstone) continue;
            Version& other = versions_.emplace_back(version);
            const bool is_older = dice_.chance(50);
            other.data.raw +=
                is_older ? -1000 : static_cast<std::int64_t>(dice_.draw(360'000'000)) + 1;
            other.seed = dice_.next();
            other.ec_etag = hex_of(dice_, 32);
            peer_of(primaries[index].id).objects[version.hash] = {&other, static_cast<int>(index),
                                                                  Damage::none};
            continue;
        }
        const Damage damage = version.archive_bytes > 0 ? draw_damage() : Damage::none;
        const Held held{&version, static_cast<int>(index), damage};
        if (is_local) {
            disk_.objects[version.hash] = held;
            if (damage != Damage::none) peers_.misbehaved.insert({version.path, local_device_});
        } else {
            peer_of(primaries[index].id).objects[version.hash] = held;
        }
    }
}

void World::set_weather(bool stormy) {
    peers_.trouble_percent = stormy ? static_cast<unsigned>(dice_.between(2, 40)) : 0;
    disk_.trouble_percent = stormy && dice_.chance(30) ? 8 : 0;
    codec_.wrong_percent = stormy && dice_.chance(20) ? static_cast<unsigned>(dice_.draw(30)) : 0;
    codec_.lost = false;
    options_.max_objects_per_revert =
        stormy && dice_.chance(40) ? static_cast<std::int64_t>(dice_.between(1, 2)) : 0;
    const bool slow_decode = stormy && dice_.chance(20);
    decode_speed_.delay_max = slow_decode ? Duration(2'000'000'000) : Duration(300'000);
    disk_speed_.delay_max = stormy && dice_.chance(20) ? Duration(200'000'000) : Duration(300'000);
    network_.latency_max = std::chrono::microseconds(stormy ? dice_.between(100, 50'000) : 2000);
    for (auto& [address, peer] : peers_.all()) {
        peer->mood = Mood::well;
        peer->takes_non_durable = !stormy || !dice_.chance(15);
        if (!stormy || dice_.chance(40)) continue;
        static constexpr Mood moods[] = {Mood::flaky,    Mood::flaky,    Mood::flaky,
                                         Mood::flaky,    Mood::slow,     Mood::silent,
                                         Mood::refusing, Mood::unmounted};
        peer->mood = moods[dice_.draw(std::size(moods))];
    }
}

}  // namespace fragmend::sim
