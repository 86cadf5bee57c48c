// A ring device as a peer: where it listens and what its disk is called.
#pragma once

#include <cstdint>
#include <string>

namespace fragmend {

/// One device of a ring. `replication_ip/port` equal `ip/port` where the ring does not name them.
/// Source: swift.common.ring.RingData device dicts.
struct Node {
    std::uint32_t id = 0;
    std::int64_t region = 1;
    std::int64_t zone = 0;
    std::string ip;
    std::uint16_t port = 0;
    std::string replication_ip;
    std::uint16_t replication_port = 0;
    std::string device;  ///< Directory name under the `devices` root.
    double weight = 0;

    /// `ip:port/device` of the replication side, as Swift's log lines name a peer.
    std::string replication_name() const {
        return replication_ip + ":" + std::to_string(replication_port) + "/" + device;
    }
    bool operator==(const Node&) const = default;
};

}  // namespace fragmend
