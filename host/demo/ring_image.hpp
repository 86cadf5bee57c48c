// Rings of embedded clusters: who holds what, and the file that says so.
#pragma once

#include <string>

#include "host/swift/ring_parts.hpp"

namespace fragmend::demo {

/// Deals 2^part_power partitions of `replicas` each out to `nodes`: no node twice in a partition,
/// all nodes within one partition of each other, in an order that depends on `seed` alone.
/// Shapes: replicas <= nodes.size() < 65536, 0 <= part_power <= 16.
swift::RingParts deal_ring(const std::vector<Node>& nodes, int replicas, int part_power,
                           std::uint64_t seed);

/// The bytes of a ring file of version 1, packed: a JSON text, then rows of device ids.
/// Source: swift.common.ring.RingData.serialize_v1, save.
std::string ring_file_bytes(const swift::RingParts& parts);

}  // namespace fragmend::demo
