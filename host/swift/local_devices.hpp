// Which devices of a ring are this machine's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/base/node.hpp"
#include "host/swift/ring.hpp"

namespace fragmend::swift {

/// Every address of every interface, loopback included; IPv6 without zone, in its short form.
std::vector<std::string> interface_addresses();

/// Addresses that a name resolves to, in inet_ntop's form; empty when it does not. May block.
using Resolve = std::function<std::vector<std::string>(const std::string& host)>;
std::vector<std::string> resolve_host(const std::string& host);

/// The addresses that count as ours: `ring_ip` as it is written if it is a numeric address other
/// than the wildcards, else `interfaces`. Source: swift.common.utils.whataremyips.
std::vector<std::string> my_addresses(const std::string& ring_ip,
                                      const std::vector<std::string>& interfaces);

/// Whether a device's replication address is one of ours. Without `port` any port is.
/// Source: swift.common.ring.utils.is_local_device.
bool is_local_device(const Node& node, const std::vector<std::string>& my_addresses,
                     std::optional<std::uint16_t> port, const Resolve& resolve = resolve_host);

/// The local devices of a ring by id. Weight plays no part, removed devices are left out.
/// Source: swift.obj.reconstructor.ObjectReconstructor.get_policy2devices.
std::vector<Node> local_devices(const Ring& ring, const std::vector<std::string>& my_addresses,
                                std::optional<std::uint16_t> port,
                                const Resolve& resolve = resolve_host);

}  // namespace fragmend::swift
