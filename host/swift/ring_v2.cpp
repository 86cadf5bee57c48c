// Ring files of version 2: named sections with checksums and an index at the end.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "host/swift/byte_cursor.hpp"
#include "host/swift/ring_decode.hpp"
#include "host/swift/ring_json.hpp"

namespace fragmend::swift {
namespace {

namespace json = boost::json;

constexpr std::size_t footer_bytes = 16;
constexpr std::size_t length_bytes = 8;

// The bytes of a length-prefixed blob at the front of `bytes`; nothing when it does not fit.
std::optional<std::string_view> blob_of(std::string_view bytes) {
    ByteCursor cursor(bytes);
    const auto length = cursor.number(length_bytes);
    return length ? cursor.take(*length) : std::nullopt;
}

// Lower-case hex of a checksum by one of the methods that Swift knows; empty for others.
std::string checksum(std::string_view method, std::string_view bytes) {
    constexpr std::array<std::string_view, 4> known = {"md5", "sha1", "sha256", "sha512"};
    if (std::ranges::find(known, method) == known.end()) return {};
    const EVP_MD* digest = EVP_get_digestbyname(std::string(method).c_str());
    std::array<std::byte, EVP_MAX_MD_SIZE> value{};
    unsigned length = 0;
    if (digest == nullptr ||
        EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(value.data()),
                   &length, digest, nullptr) != 1) {
        return {};
    }
    return to_hex(ByteView(value.data(), length));
}

// Finds sections of one unpacked file and checks each against the index.
class Sections {
  public:
    static Result<Sections> open(std::string_view unpacked, std::size_t json_bytes_max) {
        if (unpacked.size() < footer_bytes) return bad_ring("the file has no index");
        ByteCursor footer(unpacked.substr(unpacked.size() - footer_bytes));
        const std::uint64_t start = footer.number(length_bytes).value_or(0);
        if (start > unpacked.size()) return bad_ring("the index starts behind the end");
        const auto blob = blob_of(unpacked.substr(start));
        if (!blob) return bad_ring("the index is cut");
        auto index = parse_ring_json(*blob, json_bytes_max);
        if (!index) return index.error();
        if (!index->is_object()) return bad_ring("the index is no object");
        return Sections(unpacked, std::move(*index));
    }

    /// The content of a section. Errors: bad_ring.
    Result<std::string_view> content(std::string_view name) const {
        const std::string label(name);
        const auto* entry =
            index_.get_object().if_contains(json::string_view(name.data(), name.size()));
        if (entry == nullptr) return bad_ring("there is no section " + label);
        // [compressed start, start, compressed end, end, method, checksum]
        if (!entry->is_array() || entry->get_array().size() != 6) {
            return bad_ring("the index entry of " + label + " is malformed");
        }
        const json::array& fields = entry->get_array();
        if (!fields[1].is_int64() || !fields[3].is_int64() || !fields[4].is_string() ||
            !fields[5].is_string()) {
            return bad_ring("the index entry of " + label + " is malformed");
        }
        const std::int64_t start = fields[1].get_int64();
        const std::int64_t end = fields[3].get_int64();
        if (start < 0 || end < start || static_cast<std::uint64_t>(end) > unpacked_.size()) {
            return bad_ring("section " + label + " lies outside of the file");
        }
        const std::string_view bytes = unpacked_.substr(static_cast<std::size_t>(start),
                                                        static_cast<std::size_t>(end - start));
        const auto blob = blob_of(bytes);
        if (!blob || blob->size() + length_bytes != bytes.size()) {
            return bad_ring("section " + label + " has another size than its index entry");
        }
        const std::string found = checksum(std::string_view(fields[4].get_string()), bytes);
        if (found.empty()) return bad_ring("section " + label + " has an unknown checksum method");
        if (found != std::string_view(fields[5].get_string())) {
            return bad_ring("section " + label + " does not match its checksum");
        }
        return *blob;
    }

  private:
    Sections(std::string_view unpacked, json::value index)
        : unpacked_(unpacked), index_(std::move(index)) {}

    std::string_view unpacked_;
    json::value index_;
};

Result<Assignments> read_ids(std::string_view bytes, std::int64_t id_bytes) {
    Assignments ids;
    ByteCursor cursor(bytes);
    if (id_bytes != 2 && id_bytes != 4) return bad_ring("dev_id_bytes is neither 2 nor 4");
    const auto width = static_cast<std::uint64_t>(id_bytes);
    if (bytes.size() % width != 0) return bad_ring("the rows end inside a device id");
    if (width == 2)
        ids.narrow.reserve(bytes.size() / width);
    else
        ids.wide.reserve(bytes.size() / width);
    while (const auto id = cursor.number(width)) {
        if (width == 2)
            ids.narrow.push_back(static_cast<std::uint16_t>(*id));
        else
            ids.wide.push_back(static_cast<std::uint32_t>(*id));
    }
    return ids;
}

// replica_count as the writer saw it; nothing when it is no number.
std::optional<double> replicas_of(const json::object& metadata) {
    const auto* value = metadata.if_contains("replica_count");
    if (value == nullptr) return std::nullopt;
    if (value->is_double()) return value->get_double();
    if (value->is_int64()) return static_cast<double>(value->get_int64());
    return std::nullopt;
}

Result<RingParts> read_metadata(const json::object& metadata, std::int64_t& id_bytes) {
    RingParts parts;
    const auto shift = whole_from_json(metadata, "part_shift");
    const auto width = whole_from_json(metadata, "dev_id_bytes");
    const auto next_power = whole_from_json(metadata, "next_part_power");
    const auto version = whole_from_json(metadata, "version");
    if (!shift || !*shift || !width || !*width) {
        return bad_ring("part_shift or dev_id_bytes is missing");
    }
    if (**shift < 0 || **shift > 32) return bad_ring("part_shift is out of range");
    if (!next_power) return next_power.error();
    if (!version) return version.error();
    id_bytes = **width;
    parts.part_shift = static_cast<std::uint32_t>(**shift);
    parts.next_part_power = *next_power;
    parts.version = *version;
    return parts;
}

}  // namespace

Result<RingParts> parse_ring_v2(std::string_view unpacked, const RingLimits& limits) {
    const auto sections = Sections::open(unpacked, limits.json_bytes_max);
    if (!sections) return sections.error();
    const auto metadata_text = sections->content("swift/ring/metadata");
    if (!metadata_text) return metadata_text.error();
    const auto devices_text = sections->content("swift/ring/devices");
    if (!devices_text) return devices_text.error();
    const auto rows = sections->content("swift/ring/assignments");
    if (!rows) return rows.error();

    const auto metadata = parse_ring_json(*metadata_text, limits.json_bytes_max);
    if (!metadata) return metadata.error();
    if (!metadata->is_object()) return bad_ring("the metadata is no object");
    std::int64_t id_bytes = 0;
    auto parts = read_metadata(metadata->get_object(), id_bytes);
    if (!parts) return parts.error();
    const auto devices = parse_ring_json(*devices_text, limits.json_bytes_max);
    if (!devices) return devices.error();
    auto nodes = devices_from_json(*devices);
    if (!nodes) return nodes.error();
    parts->devices = std::move(*nodes);
    auto ids = read_ids(*rows, id_bytes);
    if (!ids) return ids.error();
    parts->assignments = std::move(*ids);

    const auto replicas = replicas_of(metadata->get_object());
    const double rows_there = static_cast<double>(parts->assignments.size()) /
                              static_cast<double>(std::uint64_t{1} << (32 - parts->part_shift));
    if (replicas && std::abs(*replicas - rows_there) > 1e-6) {
        return bad_ring("the rows do not have replica_count times the partitions");
    }
    return parts;
}

}  // namespace fragmend::swift
