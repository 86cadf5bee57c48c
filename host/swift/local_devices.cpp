// Which devices of a ring are this machine's.
#include "host/swift/local_devices.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace fragmend::swift {
namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
    void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

// The text of an address without zone; empty for families other than IPv4 and IPv6.
std::string text_of(const sockaddr* address) {
    char text[INET6_ADDRSTRLEN] = {};
    if (address->sa_family == AF_INET) {
        sockaddr_in ipv4{};
        std::memcpy(&ipv4, address, sizeof(ipv4));
        ::inet_ntop(AF_INET, &ipv4.sin_addr, text, sizeof(text));
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 ipv6{};
        std::memcpy(&ipv6, address, sizeof(ipv6));
        ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof(text));
    }
    return text;
}

std::vector<std::string> look_up(const std::string& host, int flags) {
    addrinfo hints{};
    hints.ai_flags = flags;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &raw) != 0) return {};
    const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
    std::vector<std::string> found;
    for (const addrinfo* at = list.get(); at != nullptr; at = at->ai_next) {
        found.push_back(text_of(at->ai_addr));
    }
    return found;
}

bool is_ipv4(const std::string& text) {
    in_addr address{};
    return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// The short form of an IPv6 literal; nothing for other text.
std::optional<std::string> short_ipv6(const std::string& text) {
    in6_addr address{};
    if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
    char out[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET6, &address, out, sizeof(out));
    return out;
}

// Source: swift.common.utils.is_valid_hostname.
bool is_host_name(std::string_view name) {
    if (name.empty() || name.size() > 255) return false;
    if (name.ends_with('.')) name.remove_suffix(1);
    while (true) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        const bool good = !label.empty() && label.size() <= 63 && !label.starts_with('-') &&
                          !label.ends_with('-') && std::ranges::all_of(label, [](char c) {
                              return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                     (c >= 'A' && c <= 'Z');
                          });
        if (!good) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

std::vector<std::string> interface_addresses() {
    ifaddrs* raw = nullptr;
    if (::getifaddrs(&raw) != 0) return {};
    const std::unique_ptr<ifaddrs, FreeAddresses> list(raw);
    std::vector<std::string> addresses;
    for (const ifaddrs* at = list.get(); at != nullptr; at = at->ifa_next) {
        if (at->ifa_addr == nullptr) continue;
        std::string text = text_of(at->ifa_addr);
        if (!text.empty()) addresses.push_back(std::move(text));
    }
    return addresses;
}

std::vector<std::string> resolve_host(const std::string& host) {
    return look_up(host, 0);
}

std::vector<std::string> my_addresses(const std::string& ring_ip,
                                      const std::vector<std::string>& interfaces) {
    if (ring_ip.empty()) return interfaces;
    const auto numeric = look_up(ring_ip, AI_NUMERICHOST);
    const bool one = !numeric.empty() && numeric.front() != "0.0.0.0" && numeric.front() != "::";
    return one ? std::vector{ring_ip} : interfaces;
}

bool is_local_device(const Node& node, const std::vector<std::string>& my_addresses,
                     std::optional<std::uint16_t> port, const Resolve& resolve) {
    if (port && node.replication_port != *port) return false;
    const auto ipv6 = short_ipv6(node.replication_ip);
    std::vector<std::string> candidates = {ipv6.value_or(node.replication_ip)};
    if (!ipv6 && !is_ipv4(node.replication_ip) && is_host_name(node.replication_ip)) {
        candidates = resolve(node.replication_ip);
    }
    return std::ranges::any_of(candidates, [&](const std::string& candidate) {
        return std::ranges::find(my_addresses, candidate) != my_addresses.end();
    });
}

std::vector<Node> local_devices(const Ring& ring, const std::vector<std::string>& my_addresses,
                                std::optional<std::uint16_t> port, const Resolve& resolve) {
    std::vector<Node> local;
    for (const auto& node : ring.devices()) {
        if (node && is_local_device(*node, my_addresses, port, resolve)) local.push_back(*node);
    }
    return local;
}

}  // namespace fragmend::swift
