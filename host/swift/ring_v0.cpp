// Ring files of version 0, from before 2012: a pickled dict, or a pickled RingData.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "host/swift/pickle.hpp"
#include "host/swift/ring_decode.hpp"
#include "host/swift/ring_json.hpp"

namespace fragmend::swift {
namespace {

namespace json = boost::json;

// The value of a key as Python finds it: the last of those that are equal.
const PickleValue* value_of(const PickleDict& dict, std::string_view key) {
    const PickleValue* found = nullptr;
    for (const PickleItem& item : dict.items) {
        const std::string* name = item.key.characters();
        if (name != nullptr && *name == key) found = &item.value;
    }
    return found;
}

// A dict has the names of the constructor's arguments, an instance those of its attributes.
const PickleValue* value_of(const PickleDict& dict, std::string_view key,
                            std::string_view attribute) {
    const PickleValue* found = value_of(dict, key);
    return found != nullptr ? found : value_of(dict, attribute);
}

Result<std::optional<std::int64_t>> whole_of(const PickleDict& dict, std::string_view key,
                                             std::string_view attribute) {
    const PickleValue* value = value_of(dict, key, attribute);
    if (value == nullptr || value->as<PickleNone>() != nullptr) {
        return std::optional<std::int64_t>();
    }
    if (const auto* number = value->as<std::int64_t>()) return std::optional(*number);
    return bad_ring(std::string(key) + " is not a whole number");
}

json::value as_json(const PickleValue& value) {
    if (value.as<PickleNone>() != nullptr) return nullptr;
    if (const auto* number = value.as<std::int64_t>()) return *number;
    if (const auto* number = value.as<double>()) return *number;
    if (const std::string* text = value.characters()) return json::string(*text);
    // A type that no member of a device may have: refused if the member is one that is read.
    return json::array();
}

// The devices as version 1 would write them, so that both are read by the same rules.
json::value devices_as_json(const PickleSequence& list) {
    json::array devices;
    devices.reserve(list.items.size());
    for (const PickleValue& item : list.items) {
        const auto* members = item.as<PickleDict>();
        if (members == nullptr) {
            devices.push_back(as_json(item));
            continue;
        }
        json::object device;
        for (const PickleItem& member : members->items) {
            const std::string* name = member.key.characters();
            if (name != nullptr) device[*name] = as_json(member.value);
        }
        devices.push_back(std::move(device));
    }
    return devices;
}

// All rows are full but the last, which a fractional replica leaves shorter.
Result<Assignments> join_rows(const PickleSequence& rows, std::uint64_t partitions) {
    Assignments ids;
    for (std::size_t row = 0; row < rows.items.size(); ++row) {
        const auto* array = rows.items[row].as<PickleArray>();
        const std::string label = "row " + std::to_string(row);
        if (array == nullptr) return bad_ring(label + " is no array of 16-bit ids");
        const std::uint64_t count = array->items.size();
        const bool may_be_short = row > 0 && row + 1 == rows.items.size();
        if (count > partitions || (count < partitions && !may_be_short)) {
            return bad_ring(label + " has " + std::to_string(count) + " of " +
                            std::to_string(partitions) + " partitions");
        }
        ids.narrow.insert(ids.narrow.end(), array->items.begin(), array->items.end());
    }
    return ids;
}

}  // namespace

Result<RingParts> parse_ring_v0(std::string_view unpacked, const RingLimits& limits) {
    const PickleLimits pickle_limits{.input_bytes = limits.unpacked_bytes_max,
                                     .items = limits.pickle_items_max,
                                     .text_bytes = limits.unpacked_bytes_max};
    const auto pickle = read_pickle(unpacked, pickle_limits, PickleSubject::ring);
    if (!pickle) {
        return bad_ring("neither version 1 nor 2, and no ring of version 0: " +
                        pickle.error().detail);
    }
    const auto* ring = pickle->as<PickleDict>();
    if (ring == nullptr) return bad_ring("the pickle is no ring");

    const auto shift = whole_of(*ring, "part_shift", "_part_shift");
    const auto next_power = whole_of(*ring, "next_part_power", "next_part_power");
    const auto version = whole_of(*ring, "version", "version");
    if (!shift) return shift.error();
    if (!next_power) return next_power.error();
    if (!version) return version.error();
    if (!*shift) return bad_ring("part_shift is missing");
    if (**shift < 0 || **shift > 32) return bad_ring("part_shift is out of range");
    const PickleValue* devices = value_of(*ring, "devs");
    const PickleValue* rows = value_of(*ring, "replica2part2dev_id", "_replica2part2dev_id");
    const auto* device_list = devices != nullptr ? devices->as<PickleSequence>() : nullptr;
    const auto* row_list = rows != nullptr ? rows->as<PickleSequence>() : nullptr;
    if (device_list == nullptr || row_list == nullptr) {
        return bad_ring("devs or replica2part2dev_id is missing or no list");
    }

    RingParts parts;
    parts.part_shift = static_cast<std::uint32_t>(**shift);
    parts.next_part_power = *next_power;
    parts.version = *version;
    auto nodes = devices_from_json(devices_as_json(*device_list));
    if (!nodes) return nodes.error();
    parts.devices = std::move(*nodes);
    auto ids = join_rows(*row_list, std::uint64_t{1} << (32 - parts.part_shift));
    if (!ids) return ids.error();
    parts.assignments = std::move(*ids);
    return parts;
}

}  // namespace fragmend::swift
