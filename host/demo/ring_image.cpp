// Dealing out partitions, and ring files.
#include "host/demo/ring_image.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <numeric>
#include <random>

#include "host/base/error.hpp"

namespace fragmend::demo {
namespace {

namespace json = boost::json;

json::object device_json(const Node& node) {
    return {{"id", node.id},
            {"region", node.region},
            {"zone", node.zone},
            {"ip", node.ip},
            {"port", node.port},
            {"replication_ip", node.replication_ip},
            {"replication_port", node.replication_port},
            {"device", node.device},
            {"weight", node.weight},
            {"meta", ""}};
}

std::string gzip(std::string_view bytes) {
    constexpr int gzip_window = 16 + MAX_WBITS;
    z_stream stream{};
    FRAGMEND_ASSERT(::deflateInit2(&stream, 6, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) ==
                    Z_OK);
    std::string out(::deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    FRAGMEND_ASSERT(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

}  // namespace

swift::RingParts deal_ring(const std::vector<Node>& nodes, int replicas, int part_power,
                           std::uint64_t seed) {
    FRAGMEND_ASSERT(static_cast<std::size_t>(replicas) <= nodes.size());
    const std::size_t partitions = std::size_t{1} << part_power;
    swift::RingParts parts;
    parts.devices.assign(nodes.begin(), nodes.end());
    parts.part_shift = static_cast<std::uint32_t>(32 - part_power);
    parts.assignments.narrow.resize(partitions * static_cast<std::size_t>(replicas));
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> held(nodes.size());
    std::vector<std::uint16_t> order(nodes.size());
    std::iota(order.begin(), order.end(), std::uint16_t{0});
    for (std::size_t partition = 0; partition < partitions; ++partition) {
        // Those with the least go first; among equals, and for the row of each, chance decides.
        std::shuffle(order.begin(), order.end(), random);
        std::ranges::stable_sort(order, {}, [&](std::uint16_t id) { return held[id]; });
        std::vector<std::uint16_t> chosen(order.begin(), order.begin() + replicas);
        std::shuffle(chosen.begin(), chosen.end(), random);
        for (std::size_t row = 0; row < chosen.size(); ++row) {
            parts.assignments.narrow[row * partitions + partition] = chosen[row];
            ++held[chosen[row]];
        }
    }
    return parts;
}

std::string ring_file_bytes(const swift::RingParts& parts) {
    json::array devices;
    for (const auto& device : parts.devices) {
        if (device)
            devices.push_back(device_json(*device));
        else
            devices.push_back(nullptr);
    }
    const std::uint64_t partitions = std::uint64_t{1} << (32 - parts.part_shift);
    const json::object head{
        {"byteorder", std::endian::native == std::endian::little ? "little" : "big"},
        {"devs", std::move(devices)},
        {"part_shift", parts.part_shift},
        {"replica_count", (parts.assignments.size() + partitions - 1) / partitions},
        {"version", 1}};
    const std::string text = json::serialize(head);
    std::string out("R1NG\0\1", 6);
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(text.size() >> shift & 0xff));
    out += text;
    const auto& ids = parts.assignments.narrow;
    out.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof ids[0]);
    return gzip(out);
}

}  // namespace fragmend::demo
