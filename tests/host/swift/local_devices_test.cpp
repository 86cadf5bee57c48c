// Which devices of a ring are this machine's.
#include "host/swift/local_devices.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/host/swift/ring_builder.hpp"

namespace fragmend::swift {
namespace {

const std::vector<std::string> interfaces = {"127.0.0.1", "10.0.0.7", "::1", "fd00::7"};

Node node_at(std::string replication_ip, std::uint16_t port) {
    Node node = test::make_node(0);
    node.replication_ip = std::move(replication_ip);
    node.replication_port = port;
    return node;
}

std::vector<std::string> resolve_none(const std::string&) {
    return {};
}

TEST(MyAddresses, OneNumericAddressStandsAsItIsWritten) {
    EXPECT_EQ(my_addresses("10.0.0.1", interfaces), std::vector<std::string>{"10.0.0.1"});
    EXPECT_EQ(my_addresses("FD00:0::7", interfaces), std::vector<std::string>{"FD00:0::7"});
    for (const char* any : {"", "0.0.0.0", "::", "0", "storage-1.example"}) {
        EXPECT_EQ(my_addresses(any, interfaces), interfaces) << any;
    }
}

TEST(LocalDevice, ComparesReplicationAddressAndPort) {
    EXPECT_TRUE(is_local_device(node_at("10.0.0.7", 6200), interfaces, 6200, resolve_none));
    EXPECT_FALSE(is_local_device(node_at("10.0.0.7", 6201), interfaces, 6200, resolve_none));
    EXPECT_FALSE(is_local_device(node_at("10.0.0.8", 6200), interfaces, 6200, resolve_none));
    EXPECT_TRUE(is_local_device(node_at("10.0.0.7", 6201), interfaces, {}, resolve_none));
}

TEST(LocalDevice, ShortensIpv6OfTheRingOnly) {
    EXPECT_TRUE(is_local_device(node_at("FD00:0:0::7", 6200), interfaces, 6200, resolve_none));
    EXPECT_FALSE(is_local_device(node_at("fd00::7", 6200), {"FD00:0::7"}, 6200, resolve_none));
}

TEST(LocalDevice, ResolvesHostNamesOnly) {
    int asked = 0;
    const Resolve resolve = [&asked](const std::string& host) {
        ++asked;
        return host == "me.example" ? std::vector<std::string>{"10.9.9.9", "10.0.0.7"}
                                    : std::vector<std::string>{};
    };
    EXPECT_TRUE(is_local_device(node_at("me.example", 6200), interfaces, 6200, resolve));
    EXPECT_FALSE(is_local_device(node_at("other.example", 6200), interfaces, 6200, resolve));
    EXPECT_EQ(asked, 2);
    EXPECT_FALSE(is_local_device(node_at("bad_name!", 6200), interfaces, 6200, resolve));
    EXPECT_TRUE(is_local_device(node_at("10.0.0.7", 6200), interfaces, 6200, resolve));
    EXPECT_EQ(asked, 2);
}

TEST(LocalDevices, LeaveOutRemovedDevicesAndKeepThoseWithoutWeight) {
    RingParts parts = test::make_parts({{0, 2}}, 3);
    parts.devices[1].reset();
    parts.devices[2]->weight = 0;
    const auto ring = Ring::make(std::move(parts)).value();
    const auto local = local_devices(*ring, {"10.0.0.2", "10.0.0.3"}, 6200);
    ASSERT_EQ(local.size(), 1u);
    EXPECT_EQ(local[0].id, 2u);
}

TEST(InterfaceAddresses, IncludeTheLoopback) {
    const auto addresses = interface_addresses();
    EXPECT_NE(std::ranges::find(addresses, "127.0.0.1"), addresses.end());
}

}  // namespace
}  // namespace fragmend::swift
