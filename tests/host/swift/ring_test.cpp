// Rings: primaries, handoffs, and files that must be refused.
#include "host/swift/ring.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <sstream>

#include "host/swift/handoff_walk.hpp"
#include "host/swift/ring_decode.hpp"
#include "tests/host/swift/ring_builder.hpp"

namespace fragmend::swift {
namespace {

std::vector<std::uint32_t> ids_of(const std::vector<Node>& nodes) {
    std::vector<std::uint32_t> ids;
    for (const Node& node : nodes)
        ids.push_back(node.id);
    return ids;
}

std::vector<std::uint32_t> walk_ids(const RingPtr& ring, std::uint32_t partition) {
    std::vector<std::uint32_t> ids;
    HandoffWalk walk(ring, partition);
    while (const auto handoff = walk.next())
        ids.push_back(handoff->node.id);
    return ids;
}

std::string device_json(int id, std::string_view more = "") {
    return "{\"id\": " + std::to_string(id) +
           ", \"zone\": 0, \"ip\": \"10.0.0.1\", \"port\": 6200, \"device\": \"sd" +
           std::to_string(id) + "\"" + std::string(more) + "}";
}

// A version 1 ring of two partitions and two replicas on devices 0 and 1.
std::string good_json(std::string_view devices) {
    return "{\"part_shift\": 31, \"replica_count\": 2, \"byteorder\": \"little\", \"devs\": [" +
           std::string(devices) + "]}";
}
const std::string good_rows("\0\0\1\0\1\0\0\0", 8);

Result<RingPtr> decode(std::string_view json, std::string_view rows) {
    const std::string file = test::gzip(test::v1_bytes(json, rows));
    return decode_ring(as_bytes_view(file));
}

std::string refusal(std::string_view json, std::string_view rows) {
    const auto ring = decode(json, rows);
    if (ring) return "(accepted)";
    EXPECT_EQ(ring.error().code, errc::bad_ring);
    return ring.error().detail;
}

TEST(Ring, DuplicateDeviceShiftsLaterIndexes) {
    const RingPtr ring = test::make_ring({{0, 1}, {0, 2}, {3, 0}}, 4);
    EXPECT_EQ(ids_of(ring->primaries(0)), (std::vector<std::uint32_t>{0, 3}));
    EXPECT_EQ(ids_of(ring->primaries(1)), (std::vector<std::uint32_t>{1, 2, 0}));
    EXPECT_EQ(ring->primary_index(0, 3), 1u);
    EXPECT_FALSE(ring->primary_index(0, 1).has_value());
    EXPECT_TRUE(ring->primaries(2).empty());
}

TEST(Ring, PartitionIsTheHeadOfTheHash) {
    const RingPtr ring = test::make_ring({std::vector<std::uint16_t>(16)}, 1);
    EXPECT_EQ(ring->partition_of("a55db22c0de79fd49167d0cf8d4d115b"), 10u);
    const RingPtr single = test::make_ring({{0}}, 1);
    EXPECT_EQ(single->partition_of("ffffffffffffffffffffffffffffffff"), 0u);
}

TEST(Ring, EcPolicyNeedsExactlyItsReplicas) {
    Policy policy;
    policy.name = "ec";
    policy.type = PolicyType::erasure_coding;
    policy.k = 2;
    policy.m = 1;
    EXPECT_TRUE(test::make_ring({{0, 1}, {1, 2}, {2, 0}}, 3)->check_fits(policy));
    RingParts fraction = test::make_parts({{0, 1}, {1, 2}, {2, 0}}, 3);
    fraction.assignments.narrow.pop_back();
    EXPECT_EQ(Ring::make(fraction).value()->check_fits(policy).error().detail,
              "EC ring for policy ec needs to be configured with exactly 3 replicas. Got 2.5.");
    policy.duplication_factor = 2;
    EXPECT_FALSE(test::make_ring({{0, 1}, {1, 2}, {2, 0}}, 3)->check_fits(policy));
}

TEST(HandoffWalk, EndsWhenEveryAssignedDeviceWasNamed) {
    const RingPtr ring = test::make_ring({{0, 1, 2, 3}, {1, 2, 3, 0}}, 6);
    for (std::uint32_t partition = 0; partition < 4; ++partition) {
        auto all = walk_ids(ring, partition);
        EXPECT_EQ(all.size(), 2u);
        HandoffWalk walk(ring, partition);
        while (walk.next()) {
        }
        EXPECT_FALSE(walk.next().has_value());
    }
}

TEST(RingDecode, ReadsVersionOne) {
    const auto ring = decode(good_json(device_json(0) + "," + device_json(1) + ",null"), good_rows);
    ASSERT_TRUE(ring) << to_string(ring.error());
    EXPECT_EQ((*ring)->partition_count(), 2u);
    EXPECT_EQ((*ring)->replica_count(), 2.0);
    EXPECT_EQ((*ring)->devices().size(), 3u);
    EXPECT_FALSE((*ring)->devices()[2].has_value());
    const Node node = (*ring)->primaries(1)[0];
    EXPECT_EQ(node.id, 1u);
    EXPECT_EQ(node.region, 1);
    EXPECT_EQ(node.replication_ip, "10.0.0.1");
    EXPECT_EQ(node.replication_port, 6200);
}

TEST(RingDecode, FractionOfAReplicaMayBeEmpty) {
    const std::string devices = device_json(0) + "," + device_json(1);
    EXPECT_EQ(decode(good_json(devices), good_rows.substr(0, 6)).value()->replica_count(), 1.5);
    EXPECT_EQ(decode(good_json(devices), good_rows.substr(0, 4)).value()->replica_count(), 1.0);
}

TEST(RingDecode, RefusesMalformedVersionOne) {
    const std::string devices = device_json(0) + "," + device_json(1);
    EXPECT_EQ(refusal(good_json(devices), ""), "0 bytes of rows are not 2 replicas of 4 bytes");
    EXPECT_EQ(refusal(good_json(devices), good_rows + good_rows),
              "16 bytes of rows are not 2 replicas of 4 bytes");
    EXPECT_EQ(refusal(good_json(devices), good_rows.substr(0, 7)),
              "the rows end inside a device id");
    EXPECT_EQ(refusal(good_json(device_json(0)), good_rows),
              "replica 0 of partition 1 is on device 1, which does not exist");
    EXPECT_EQ(refusal(good_json(device_json(0) + ",null"), good_rows),
              "replica 0 of partition 1 is on device 1, which does not exist");
    EXPECT_EQ(refusal(good_json(device_json(1) + "," + device_json(0)), good_rows),
              "device 0 says that its id is 1");
    EXPECT_EQ(refusal(good_json("3"), good_rows), "device 0: is no object");
    EXPECT_EQ(refusal("[]", good_rows), "the JSON text is no object");
    EXPECT_EQ(refusal("{\"part_shift\": 33, \"replica_count\": 2}", good_rows),
              "part_shift is out of range");
    EXPECT_EQ(refusal("{\"part_shift\": 0, \"replica_count\": 2, \"devs\": []}", good_rows),
              "8 bytes of rows are not 2 replicas of 8589934592 bytes");
    EXPECT_EQ(refusal(good_json("{\"id\": 0}"), good_rows), "device 0: zone is missing");
    EXPECT_EQ(refusal(good_json(device_json(0, ",\"replication_port\": 65536")), good_rows),
              "device 0: replication_port is out of range");
    EXPECT_NE(refusal("{", good_rows).find("not JSON"), std::string::npos);
}

TEST(RingDecode, RefusesDeviceNamesThatLeadElsewhere) {
    for (const std::string name : {"..", ".", "", "a/b", "a\\u0000b"}) {
        const std::string device =
            "{\"id\": 0, \"zone\": 0, \"ip\": \"i\", \"port\": 1, \"device\": \"" + name + "\"}";
        EXPECT_EQ(refusal(good_json(device + "," + device_json(1)), good_rows),
                  "device 0 has no usable name")
            << name;
    }
}

TEST(RingDecode, RefusesDamagedContainers) {
    const std::string bytes =
        test::v1_bytes(good_json(device_json(0) + "," + device_json(1)), good_rows);
    const std::string file = test::gzip(bytes);
    for (std::size_t length = 0; length < file.size(); ++length) {
        EXPECT_FALSE(decode_ring(as_bytes_view(std::string_view(file).substr(0, length))))
            << length;
    }
    std::string flipped = file;
    flipped[file.size() - 6] = static_cast<char>(flipped[file.size() - 6] ^ 1);
    EXPECT_EQ(decode_ring(as_bytes_view(flipped)).error().detail, "the gzip stream is damaged");
    std::string unknown = bytes;
    unknown[5] = 3;
    EXPECT_EQ(decode_ring(as_bytes_view(test::gzip(unknown))).error().detail,
              "Unknown ring format version 3");
    const RingLimits tight{.unpacked_bytes_max = bytes.size() - 1};
    EXPECT_EQ(decode_ring(as_bytes_view(file), tight).error().detail,
              "unpacks to more than the limit");
    EXPECT_TRUE(decode_ring(as_bytes_view(file), {.unpacked_bytes_max = bytes.size()}));
}

// Rings of version 0 are pickles; protocol 0 is text, which reads well here.
std::string v0_pickle(std::string_view rows, std::string_view part_shift = "I31\n",
                      std::string_view second_device = "") {
    std::string text = "(dp0\nS'part_shift'\n";
    text += part_shift;
    text += "sS'devs'\n(lp1\n";
    for (const std::string id : {"0", "1"}) {
        text += "(dS'id'\nI" + id + "\nsS'zone'\nI0\nsS'ip'\nS'10.0.0.1'\nsS'port'\nI6200\n" +
                "sS'device'\nS'sd" + id + "'\nsS'weight'\nF1.5\ns";
        if (id == "1") text += second_device;
        text += "a";
    }
    text += "NasS'replica2part2dev_id'\n(l";
    text += rows;
    return text + "s.";
}

// One row as Python 2.7 pickles it.
std::string v0_row(std::vector<int> ids, std::string_view typecode = "H") {
    std::string text = "carray\narray\n(S'" + std::string(typecode) + "'\n(l";
    for (const int id : ids)
        text += "I" + std::to_string(id) + "\na";
    return text + "tRa";
}

Result<RingPtr> decode_v0(const std::string& pickle) {
    const std::string file = test::gzip(pickle);
    return decode_ring(as_bytes_view(file));
}

std::string refusal_v0(const std::string& pickle) {
    const auto ring = decode_v0(pickle);
    if (ring) return "(accepted)";
    EXPECT_EQ(ring.error().code, errc::bad_ring);
    return ring.error().detail;
}

TEST(RingDecode, ReadsVersionZero) {
    const auto ring = decode_v0(v0_pickle(v0_row({0, 1}) + v0_row({1, 0})));
    ASSERT_TRUE(ring) << to_string(ring.error());
    EXPECT_EQ(ids_of((*ring)->primaries(0)), (std::vector<std::uint32_t>{0, 1}));
    EXPECT_EQ(ids_of((*ring)->primaries(1)), (std::vector<std::uint32_t>{1, 0}));
    EXPECT_EQ((*ring)->devices().size(), 3u);
    const Node node = (*ring)->primaries(1)[0];
    EXPECT_EQ(node.device, "sd1");
    EXPECT_EQ(node.region, 1);
    EXPECT_EQ(node.weight, 1.5);
    EXPECT_EQ(node.replication_port, 6200);
    EXPECT_EQ(decode_v0(v0_pickle(v0_row({0, 1}) + v0_row({1}))).value()->replica_count(), 1.5);
}

TEST(RingDecode, ReadsVersionZeroOfPython26) {
    // There an array left its memory instead of a list, in the byte order of its machine.
    const std::string row = "carray\narray\n(S'H'\nS'\\x00\\x00\\x01\\x00'\ntRa";
    EXPECT_EQ(ids_of(decode_v0(v0_pickle(row)).value()->primaries(1)),
              (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(refusal_v0(v0_pickle("carray\narray\n(S'H'\nS'\\x00\\x00\\x01'\ntRa")).substr(0, 50),
              "neither version 1 nor 2, and no ring of version 0:");
}

TEST(RingDecode, RefusesMalformedVersionZero) {
    const std::string good = v0_row({0, 1});
    EXPECT_EQ(refusal_v0(v0_pickle(v0_row({0}) + good)), "row 0 has 1 of 2 partitions");
    EXPECT_EQ(refusal_v0(v0_pickle(good + v0_row({0, 1, 0}))), "row 1 has 3 of 2 partitions");
    EXPECT_EQ(refusal_v0(v0_pickle("")), "the first row has 0 of 2 partitions");
    EXPECT_EQ(refusal_v0(v0_pickle("(lI0\naI1\naa")), "row 0 is no array of 16-bit ids");
    EXPECT_EQ(refusal_v0(v0_pickle(v0_row({0, 2}))),
              "replica 0 of partition 1 is on device 2, which does not exist");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "I33\n")), "part_shift is out of range");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "I-1\n")), "part_shift is out of range");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "F31.0\n")), "part_shift is not a whole number");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "I0\n")), "row 0 has 2 of 4294967296 partitions");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "I31\n", "S'port'\nI65536\ns")),
              "device 1: port is out of range");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "I31\n", "S'port'\n(lI1\nas")),
              "device 1: port is not a whole number");
    EXPECT_EQ(refusal_v0(v0_pickle(good, "I31\n", "S'device'\nS'../x'\ns")),
              "device 1 has no usable name");
    EXPECT_EQ(refusal_v0("(d."), "part_shift is missing");
    EXPECT_EQ(refusal_v0("(dS'part_shift'\nI32\ns."),
              "devs or replica2part2dev_id is missing or no list");
    EXPECT_EQ(refusal_v0("I1\n."), "the pickle is no ring");
    for (const std::string& row : {v0_row({0, 65536}), v0_row({0, -1}), v0_row({0, 1}, "I"),
                                   v0_row({0, 1}, "B"), std::string("cos\nsystem\n(S'H'\ntRa")}) {
        EXPECT_EQ(refusal_v0(v0_pickle(row)).substr(0, 50),
                  "neither version 1 nor 2, and no ring of version 0:");
    }
    const std::string whole = v0_pickle(good);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_NE(refusal_v0(whole.substr(0, length)), "(accepted)") << length;
    }
}

class UpstreamRingV2 : public testing::Test {
  protected:
    static std::string read(const std::string& name) {
        std::ifstream file(std::string(FRAGMEND_SOURCE_DIR "/tests/golden/swift/") + name,
                           std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
};

TEST_F(UpstreamRingV2, IsReadAsSwiftReadsIt) {
    const auto ring = decode_ring(as_bytes_view(read("ring_v2.ring.gz")));
    ASSERT_TRUE(ring) << to_string(ring.error());
    EXPECT_EQ((*ring)->replica_count(), 6.0);
    EXPECT_FALSE((*ring)->devices().at(7).has_value());
    const auto expected = boost::json::parse(read("ring_v2.json")).as_array();
    ASSERT_EQ(expected.size(), (*ring)->partition_count());
    for (const auto& entry : expected) {
        const auto partition = entry.at("partition").to_number<std::uint32_t>();
        using Ids = std::vector<std::uint32_t>;
        EXPECT_EQ(ids_of((*ring)->primaries(partition)),
                  boost::json::value_to<Ids>(entry.at("primaries")));
        EXPECT_EQ(walk_ids(*ring, partition), boost::json::value_to<Ids>(entry.at("handoffs")));
    }
}

TEST_F(UpstreamRingV2, EveryFlippedByteIsNoticedOrHarmless) {
    const std::string bytes = gunzip(as_bytes_view(read("ring_v2.ring.gz")), 1 << 20).value();
    const auto good = parse_ring_v2(bytes, {});
    ASSERT_TRUE(good);
    int refused = 0;
    for (std::size_t at = 6; at < bytes.size(); ++at) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
        const auto parts = parse_ring_v2(flipped, {});
        if (!parts) {
            ++refused;
            continue;
        }
        EXPECT_EQ(parts->assignments.narrow, good->assignments.narrow) << at;
        EXPECT_EQ(parts->devices, good->devices) << at;
    }
    EXPECT_GT(refused, static_cast<int>(bytes.size() * 3 / 4));
}

}  // namespace
}  // namespace fragmend::swift
