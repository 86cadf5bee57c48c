// The values of a pickle while it is read: nodes that name each other by their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "host/swift/pickle.hpp"

namespace fragmend::swift {

/// A global that a pickle named; what it would do is done by `call_pickle_global`.
enum class PickleGlobal : std::uint8_t {
    codecs_encode,
    bytes,
    dict,
    header_key_dict,
    reconstructor,
    object,
    // Of rings only:
    array,
    array_reconstructor,
    ring_data,
};

using PickleNodeIndex = std::uint32_t;

struct Children {
    std::vector<PickleNodeIndex> nodes;  ///< Of a dict: key, value, key, value...
};
struct SequenceNode : Children {};
struct DictNode : Children {};
/// A RingData that waits for its attributes.
struct BareRingNode {};

using PickleNode = std::variant<PickleNone, bool, std::int64_t, double, PickleText, PickleBytes,
                                PickleArray, PickleGlobal, SequenceNode, DictNode, BareRingNode>;

/// The characters of a text or a byte string, nullptr for anything else.
const std::string* characters_of(const PickleNode& node);
/// How many bytes a string or an array owns; 0 for anything else.
std::size_t owned_bytes(const PickleNode& node);

/// Copies one node and all below it out as a tree; nothing if that is more than the limits allow or
/// contains what is no data.
std::optional<PickleValue> plain_value(const std::vector<PickleNode>& nodes, PickleNodeIndex from,
                                       const PickleLimits& limits);

}  // namespace fragmend::swift
