// The nodes that stand in for a partition's primaries, in Swift's order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/swift/ring.hpp"

namespace fragmend::swift {

struct Handoff {
    Node node;
    std::size_t handoff_index = 0;  ///< Its place in the walk, from 0.
};

/// Yields the handoffs of one partition one by one; only what is asked for is computed.
/// First nodes of untouched regions, then of zones, then of addresses, then all others. Holds its
/// ring, so it may outlive a reload. Not thread-safe.
/// Source: swift.common.ring.Ring.get_more_nodes.
class HandoffWalk {
  public:
    HandoffWalk(RingPtr ring, std::uint32_t partition);

    /// The next handoff; nothing when every device that holds partitions was named.
    std::optional<Handoff> next();

  private:
    enum class Pass : std::uint8_t { regions, zones, ips, devices, over };

    bool pass_complete() const;
    bool is_wanted(std::uint32_t id) const;
    void take(std::uint32_t id);
    void start_pass(Pass pass);
    void step();

    RingPtr ring_;
    std::uint64_t start_ = 0;      // Partition at which every pass begins.
    std::uint64_t increment_ = 1;  // Partitions between two looks.

    std::vector<bool> used_;  // By device id; the next three by tier number.
    std::vector<bool> regions_;
    std::vector<bool> zones_;
    std::vector<bool> ips_;
    std::uint32_t used_count_ = 0;
    std::uint32_t region_count_ = 0;
    std::uint32_t zone_count_ = 0;
    std::uint32_t ip_count_ = 0;

    Pass pass_ = Pass::regions;
    std::uint64_t partition_ = 0;  // Where the pass stands,
    std::uint32_t row_ = 0;        // and at which row of that partition.
    bool wrapped_ = false;
    std::size_t emitted_ = 0;
};

}  // namespace fragmend::swift
