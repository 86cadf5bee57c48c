// Rings of embedded clusters: dealt out evenly, and files that our own reader takes.
#include "host/demo/ring_image.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "host/base/bytes.hpp"
#include "host/swift/ring.hpp"
#include "host/swift/ring_decode.hpp"

namespace fragmend::demo {
namespace {

std::vector<Node> nodes_of(std::uint32_t count) {
    std::vector<Node> nodes;
    for (std::uint32_t id = 0; id < count; ++id) {
        Node node;
        node.id = id;
        node.zone = id % 3 + 1;
        node.ip = node.replication_ip = "127.0.0.1";
        node.port = node.replication_port = static_cast<std::uint16_t>(40000 + id);
        node.device = "d" + std::to_string(id + 1);
        node.weight = 100;
        nodes.push_back(node);
    }
    return nodes;
}

TEST(DealRing, GivesEachPartitionToDifferentDevicesAndEachDeviceItsShare) {
    for (const auto& [devices, replicas, part_power] :
         {std::tuple{8u, 6, 5}, {14u, 14, 4}, {13u, 6, 7}, {2u, 2, 0}}) {
        const auto ring = swift::Ring::make(deal_ring(nodes_of(devices), replicas, part_power, 7));
        ASSERT_TRUE(ring.has_value()) << ring.error().detail;
        std::map<std::uint32_t, int> held;
        for (std::uint32_t partition = 0; partition < (*ring)->partition_count(); ++partition) {
            const auto primaries = (*ring)->primaries(partition);
            EXPECT_EQ(primaries.size(), static_cast<std::size_t>(replicas));
            std::set<std::uint32_t> ids;
            for (const Node& node : primaries) {
                ids.insert(node.id);
                ++held[node.id];
            }
            EXPECT_EQ(ids.size(), primaries.size());
        }
        int least = 1 << 30, most = 0;
        for (const auto& [id, count] : held) {
            least = std::min(least, count);
            most = std::max(most, count);
        }
        EXPECT_LE(most - least, 1) << devices << " devices";
        EXPECT_EQ(held.size(), devices);
    }
}

TEST(DealRing, FollowsItsSeed) {
    const auto one = deal_ring(nodes_of(8), 6, 5, 1);
    EXPECT_EQ(one.assignments.narrow, deal_ring(nodes_of(8), 6, 5, 1).assignments.narrow);
    EXPECT_NE(one.assignments.narrow, deal_ring(nodes_of(8), 6, 5, 2).assignments.narrow);
}

TEST(RingFileBytes, AreReadAsTheSameRing) {
    const auto parts = deal_ring(nodes_of(9), 6, 6, 3);
    const std::string bytes = ring_file_bytes(parts);
    const auto ring = swift::decode_ring(as_bytes_view(bytes));
    ASSERT_TRUE(ring.has_value()) << ring.error().detail;
    const auto expected = swift::Ring::make(parts).value();
    ASSERT_EQ((*ring)->partition_count(), 64u);
    EXPECT_EQ((*ring)->row_count(), 6u);
    EXPECT_EQ((*ring)->devices(), expected->devices());
    for (std::uint32_t partition = 0; partition < 64; ++partition)
        EXPECT_EQ((*ring)->primaries(partition), expected->primaries(partition));
}

}  // namespace
}  // namespace fragmend::demo
