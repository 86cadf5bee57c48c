// Rings written by the real Swift, and what its Ring says about them.
#include <gtest/gtest.h>

#include <filesystem>

#include "host/swift/handoff_walk.hpp"
#include "host/swift/ring_decode.hpp"
#include "tests/interop/python_oracle.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::swift {
namespace {

namespace json = boost::json;

constexpr int ring_count = 60;

std::vector<std::int64_t> ids_of(const json::value& list) {
    return json::value_to<std::vector<std::int64_t>>(list);
}

json::value device_as_json(const std::optional<Node>& node) {
    if (!node) return nullptr;
    return {{"id", node->id},
            {"region", node->region},
            {"zone", node->zone},
            {"ip", node->ip},
            {"port", node->port},
            {"replication_ip", node->replication_ip},
            {"replication_port", node->replication_port},
            {"device", node->device},
            {"weight", node->weight}};
}

std::vector<std::int64_t> handoff_ids(const RingPtr& ring, std::uint32_t partition) {
    std::vector<std::int64_t> ids;
    HandoffWalk walk(ring, partition);
    while (const auto handoff = walk.next()) {
        EXPECT_EQ(handoff->handoff_index, ids.size());
        ids.push_back(handoff->node.id);
    }
    return ids;
}

// How many partitions were compared.
int compare(const RingPtr& ring, const json::object& expected) {
    json::array devices;
    for (const auto& node : ring->devices())
        devices.push_back(device_as_json(node));
    EXPECT_EQ(devices, expected.at("devices").as_array());
    EXPECT_DOUBLE_EQ(ring->replica_count(), expected.at("replica_count").as_double());
    EXPECT_EQ(ring->partition_count(), expected.at("partition_count").to_number<std::uint64_t>());
    const auto& next_power = expected.at("next_part_power");
    EXPECT_EQ(ring->next_part_power().has_value(), !next_power.is_null());
    for (const auto& [hash, partition] : expected.at("hashes").as_object()) {
        EXPECT_EQ(ring->partition_of(std::string_view(hash)), partition.to_number<std::uint32_t>());
    }
    int compared = 0;
    for (const json::value& entry : expected.at("partitions").as_array()) {
        const auto& object = entry.as_object();
        const auto partition = object.at("partition").to_number<std::uint32_t>();
        std::vector<std::int64_t> primaries;
        for (const Node& node : ring->primaries(partition)) {
            EXPECT_EQ(ring->primary_index(partition, node.id), primaries.size());
            primaries.push_back(node.id);
        }
        EXPECT_EQ(primaries, ids_of(object.at("primaries"))) << "partition " << partition;
        EXPECT_EQ(handoff_ids(ring, partition), ids_of(object.at("handoffs")))
            << "partition " << partition;
        ++compared;
    }
    return compared;
}

TEST(RingInterop, PrimariesAndHandoffsOfRandomRings) {
    const auto seed = test::seed_for_test();
    const test::TemporaryDirectory directory;
    const bool ran = test::run_oracle(
        "tests/interop/swift_config/ring_oracle.py",
        directory.path() + " " + std::to_string(seed) + " " + std::to_string(ring_count));
    if (!ran) GTEST_SKIP() << "this machine has no Swift";
    int files = 0;
    int partitions = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
        const auto path = entry.path();
        if (path.extension() == ".json") continue;
        SCOPED_TRACE(path.string());
        const auto ring = decode_ring(as_bytes_view(test::read_text(path.string())));
        ASSERT_TRUE(ring) << to_string(ring.error());
        auto expected =
            test::read_json(std::filesystem::path(path).replace_extension(".json").string());
        // The big-endian files and those of Python 2 leave it out.
        if (path.extension() == ".big" || path.extension().string().starts_with(".v0py2")) {
            expected.as_object()["next_part_power"] = nullptr;
        }
        partitions += compare(*ring, expected.as_object());
        if (testing::Test::HasFailure()) return;
        ++files;
    }
    std::cout << files << " ring files, " << partitions << " partitions compared\n";
    EXPECT_GE(files, ring_count * 13);
}

}  // namespace
}  // namespace fragmend::swift
