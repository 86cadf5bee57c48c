// Builds small rings and ring files for tests.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "host/swift/ring.hpp"

namespace fragmend::swift::test {

inline Node make_node(std::uint32_t id) {
    Node node;
    node.id = id;
    node.zone = id;
    node.ip = node.replication_ip = "10.0.0." + std::to_string(id + 1);
    node.port = node.replication_port = 6200;
    node.device = "sd" + std::to_string(id);
    node.weight = 1;
    return node;
}

/// `rows[r][p]` is the device of replica r of partition p; a power of two of partitions.
inline RingParts make_parts(const std::vector<std::vector<std::uint16_t>>& rows,
                            std::uint32_t device_count) {
    RingParts parts;
    for (std::uint32_t id = 0; id < device_count; ++id)
        parts.devices.emplace_back(make_node(id));
    for (const auto& row : rows) {
        parts.assignments.narrow.insert(parts.assignments.narrow.end(), row.begin(), row.end());
    }
    parts.part_shift = 32;
    for (std::size_t count = rows.front().size(); count > 1; count /= 2)
        --parts.part_shift;
    return parts;
}

inline RingPtr make_ring(const std::vector<std::vector<std::uint16_t>>& rows,
                         std::uint32_t device_count) {
    return Ring::make(make_parts(rows, device_count)).value();
}

inline std::string gzip(std::string_view bytes) {
    z_stream stream{};
    if (::deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("deflateInit2");
    }
    std::string out(::deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

/// The unpacked bytes of a version 1 file; `rows` are little-endian ids.
inline std::string v1_bytes(std::string_view json, std::string_view rows) {
    std::string out = "R1NG";
    out += std::string("\0\1", 2);
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(json.size() >> shift & 0xff));
    }
    out += json;
    out += rows;
    return out;
}

}  // namespace fragmend::swift::test
