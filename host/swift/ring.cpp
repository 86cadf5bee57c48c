// One loaded ring: which devices hold a partition.
#include "host/swift/ring.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "host/base/bytes.hpp"

namespace fragmend::swift {
namespace {

constexpr std::uint64_t rows_max = 1024;

// A device's directory is opened below the devices root, so its name must not lead elsewhere.
bool is_safe_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

std::string plain_number(double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof(text), value);
    return {text, end.ptr};
}

}  // namespace

Result<std::shared_ptr<const Ring>> Ring::make(RingParts parts) {
    std::shared_ptr<Ring> ring(new Ring(std::move(parts)));
    const auto shape = ring->check_shape();
    if (!shape) return shape.error();
    const auto ids = ring->check_ids();
    if (!ids) return ids.error();
    ring->derive_tiers();
    return std::shared_ptr<const Ring>(std::move(ring));
}

Result<void> Ring::check_shape() {
    if (parts_.part_shift > 32) return bad_ring("part_shift exceeds 32");
    const std::uint64_t entries = parts_.assignments.size();
    if (entries < partition_count()) {
        return bad_ring("the first row has " + std::to_string(entries) + " of " +
                        std::to_string(partition_count()) + " partitions");
    }
    const std::uint64_t rows = (entries + partition_count() - 1) / partition_count();
    if (rows > rows_max) return bad_ring("more than " + std::to_string(rows_max) + " replicas");
    row_count_ = static_cast<std::uint32_t>(rows);
    for (std::size_t id = 0; id < parts_.devices.size(); ++id) {
        const auto& device = parts_.devices[id];
        if (!device) continue;
        const std::string label = "device " + std::to_string(id);
        if (device->id != id)
            return bad_ring(label + " says that its id is " + std::to_string(device->id));
        if (!is_safe_name(device->device)) return bad_ring(label + " has no usable name");
        if (device->ip.empty() || device->replication_ip.empty()) {
            return bad_ring(label + " has no address");
        }
    }
    return {};
}

Result<void> Ring::check_ids() {
    assigned_.assign(parts_.devices.size(), false);
    const std::uint64_t entries = parts_.assignments.size();
    for (std::uint64_t at = 0; at < entries; ++at) {
        const std::uint32_t id = parts_.assignments[at];
        if (id < assigned_.size() && parts_.devices[id]) {
            assigned_[id] = true;
            continue;
        }
        return bad_ring("replica " + std::to_string(at / partition_count()) + " of partition " +
                        std::to_string(at % partition_count()) + " is on device " +
                        std::to_string(id) + ", which does not exist");
    }
    return {};
}

void Ring::derive_tiers() {
    std::map<std::int64_t, std::uint32_t> regions;
    std::map<std::pair<std::int64_t, std::int64_t>, std::uint32_t> zones;
    std::map<std::tuple<std::int64_t, std::int64_t, std::string>, std::uint32_t> ips;
    const auto number = [](auto& seen, auto key) {
        return seen.emplace(std::move(key), static_cast<std::uint32_t>(seen.size())).first->second;
    };
    tiers_.resize(parts_.devices.size());
    for (std::size_t id = 0; id < parts_.devices.size(); ++id) {
        if (!assigned_[id]) continue;
        const Node& node = *parts_.devices[id];
        tiers_[id].region = number(regions, node.region);
        tiers_[id].zone = number(zones, std::pair(node.region, node.zone));
        tiers_[id].ip = number(ips, std::tuple(node.region, node.zone, node.ip));
        ++assigned_count_;
    }
    region_count_ = static_cast<std::uint32_t>(regions.size());
    zone_count_ = static_cast<std::uint32_t>(zones.size());
    ip_count_ = static_cast<std::uint32_t>(ips.size());
}

double Ring::replica_count() const {
    const std::uint64_t last = parts_.assignments.size() - (row_count_ - 1) * partition_count();
    return row_count_ - 1 + static_cast<double>(last) / static_cast<double>(partition_count());
}

std::uint32_t Ring::partition_of(const Md5Digest& object_hash) const {
    std::uint64_t head = 0;
    for (std::size_t at = 0; at < 4; ++at) {
        head = (head << 8) | std::to_integer<std::uint64_t>(object_hash[at]);
    }
    return static_cast<std::uint32_t>(head >> parts_.part_shift);
}

std::uint32_t Ring::partition_of(std::string_view object_hash) const {
    FRAGMEND_ASSERT(is_lower_hex(object_hash, 32));
    std::uint64_t head = 0;
    std::from_chars(object_hash.data(), object_hash.data() + 8, head, 16);
    return static_cast<std::uint32_t>(head >> parts_.part_shift);
}

std::optional<std::uint32_t> Ring::device_at(std::uint32_t row, std::uint64_t partition) const {
    const std::uint64_t at = row * partition_count() + partition;
    if (at >= parts_.assignments.size()) return std::nullopt;
    return parts_.assignments[at];
}

std::vector<std::uint32_t> Ring::primary_ids(std::uint32_t partition) const {
    std::vector<std::uint32_t> ids;
    if (partition >= partition_count()) return ids;
    ids.reserve(row_count_);
    for (std::uint32_t row = 0; row < row_count_; ++row) {
        const auto id = device_at(row, partition);
        if (id && std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
    }
    return ids;
}

std::vector<Node> Ring::primaries(std::uint32_t partition) const {
    const auto ids = primary_ids(partition);
    std::vector<Node> nodes;
    nodes.reserve(ids.size());
    for (const std::uint32_t id : ids)
        nodes.push_back(*parts_.devices[id]);
    return nodes;
}

std::optional<std::size_t> Ring::primary_index(std::uint32_t partition,
                                               std::uint32_t device_id) const {
    const auto ids = primary_ids(partition);
    const auto found = std::ranges::find(ids, device_id);
    if (found == ids.end()) return std::nullopt;
    return static_cast<std::size_t>(found - ids.begin());
}

Result<void> Ring::check_fits(const Policy& policy) const {
    if (!policy.is_erasure_coding()) return {};
    const double wanted = policy.ring_replicas();
    if (std::abs(replica_count() - wanted) < 1e-12) return {};
    return bad_ring("EC ring for policy " + policy.name + " needs to be configured with exactly " +
                    std::to_string(policy.ring_replicas()) + " replicas. Got " +
                    plain_number(replica_count()) + ".");
}

}  // namespace fragmend::swift
