// Ring files of version 1: a JSON text, then rows of 16-bit device ids.
#include <bit>
#include <cstring>

#include "host/swift/byte_cursor.hpp"
#include "host/swift/ring_decode.hpp"
#include "host/swift/ring_json.hpp"

namespace fragmend::swift {
namespace {

// Where the JSON does not say which byte order was the writer's, Swift takes the reader's.
Result<bool> is_foreign_order(const boost::json::object& head) {
    const auto* order = head.if_contains("byteorder");
    if (order == nullptr) return false;
    if (!order->is_string()) return bad_ring("byteorder is no text");
    const bool little = order->get_string() == "little";
    if (!little && order->get_string() != "big") return bad_ring("byteorder is unknown");
    return little != (std::endian::native == std::endian::little);
}

std::vector<std::uint16_t> read_ids(std::string_view bytes, bool swapped) {
    std::vector<std::uint16_t> ids(bytes.size() / 2);
    std::memcpy(ids.data(), bytes.data(), ids.size() * 2);
    if (!swapped) return ids;
    for (std::uint16_t& id : ids)
        id = static_cast<std::uint16_t>((id << 8) | (id >> 8));
    return ids;
}

}  // namespace

Result<RingParts> parse_ring_v1(std::string_view unpacked, const RingLimits& limits) {
    ByteCursor cursor(unpacked);
    cursor.take(6);
    const auto length = cursor.number(4);
    const auto text = length ? cursor.take(*length) : std::nullopt;
    if (!text) return bad_ring("the file ends inside its JSON text");
    const auto json = parse_ring_json(*text, limits.json_bytes_max);
    if (!json) return json.error();
    if (!json->is_object()) return bad_ring("the JSON text is no object");
    const boost::json::object& head = json->get_object();

    RingParts parts;
    const auto shift = whole_from_json(head, "part_shift");
    const auto rows = whole_from_json(head, "replica_count");
    if (!shift || !rows || !*shift || !*rows) {
        return bad_ring("part_shift or replica_count is missing");
    }
    if (**shift < 0 || **shift > 32) return bad_ring("part_shift is out of range");
    parts.part_shift = static_cast<std::uint32_t>(**shift);
    const auto next_power = whole_from_json(head, "next_part_power");
    const auto version = whole_from_json(head, "version");
    if (!next_power) return next_power.error();
    if (!version) return version.error();
    parts.next_part_power = *next_power;
    parts.version = *version;
    const auto swapped = is_foreign_order(head);
    if (!swapped) return swapped.error();
    const auto* devices = head.if_contains("devs");
    if (devices == nullptr) return bad_ring("devs is missing");
    auto nodes = devices_from_json(*devices);
    if (!nodes) return nodes.error();
    parts.devices = std::move(*nodes);

    // Every row but the last is full; a short last one is a fractional replica, and in a small ring
    // the fraction may come to no partition at all.
    const std::uint64_t row_bytes = 2 * (std::uint64_t{1} << (32 - parts.part_shift));
    const std::uint64_t have = cursor.rest().size();
    const std::uint64_t rows_there = (have + row_bytes - 1) / row_bytes;
    if (have % 2 != 0) return bad_ring("the rows end inside a device id");
    const bool last_is_empty =
        have % row_bytes == 0 && **rows == static_cast<std::int64_t>(rows_there) + 1;
    if (rows_there < 1 || (static_cast<std::int64_t>(rows_there) != **rows && !last_is_empty)) {
        return bad_ring(std::to_string(have) + " bytes of rows are not " + std::to_string(**rows) +
                        " replicas of " + std::to_string(row_bytes) + " bytes");
    }
    parts.assignments.narrow = read_ids(cursor.rest(), *swapped);
    return parts;
}

}  // namespace fragmend::swift
