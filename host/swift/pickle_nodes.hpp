// The values of a pickle while it is read: nodes that name each other by their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

/// What a container holds: a stretch of `PickleNodes::links`. Of a dict: key, value, key, value...
struct Children {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t room = 0;
};
struct SequenceNode : Children {};
struct DictNode : Children {};
/// A RingData that waits for its attributes.
struct BareRingNode {};
/// Characters that live in the pickle itself, or in `PickleNodes::kept`.
struct TextNode {
    std::string_view utf8;
};
struct BytesNode {
    std::string_view bytes;
};

using PickleNode = std::variant<PickleNone, bool, std::int64_t, double, TextNode, BytesNode,
                                PickleArray, PickleGlobal, SequenceNode, DictNode, BareRingNode>;

/// The nodes of one pickle and what they refer to. The pickle's bytes must outlive them.
struct PickleNodes {
    std::vector<PickleNode> nodes;
    std::vector<PickleNodeIndex> links;
    std::deque<std::string> kept;  ///< Characters that are not in the pickle as they are.

    const PickleNode& operator[](PickleNodeIndex index) const { return nodes[index]; }
    PickleNode& operator[](PickleNodeIndex index) { return nodes[index]; }
    std::span<const PickleNodeIndex> of(const Children& children) const {
        return {links.data() + children.first, children.count};
    }
    /// Adds to a container; `more` must not be in `links`.
    void append(Children& to, std::span<const PickleNodeIndex> more);
    std::string_view keep(std::string characters) {
        return kept.emplace_back(std::move(characters));
    }
};

/// The characters of a text or a byte string.
std::optional<std::string_view> characters_of(const PickleNode& node);
/// How many bytes a string or an array takes when it is copied out; 0 for anything else.
std::size_t copied_bytes(const PickleNode& node);

/// A pickle that was read and is not copied out. Its bytes must outlive it.
struct PickleDocument {
    PickleNodes nodes;
    PickleNodeIndex root = 0;

    /// The keys and values of a dict in turns, nothing for anything else. What is handed out is
    /// taken from `items_left`, which becomes 0 when it is too little, so that a dict that is named
    /// many times costs no more than as many different ones.
    std::optional<std::span<const PickleNodeIndex>> entries(PickleNodeIndex dict,
                                                            std::size_t& items_left) const;
};

/// As `read_pickle`, without the copy. Errors: bad_pickle.
Result<PickleDocument> read_pickle_document(
    std::string_view bytes, const PickleLimits& limits,
    PickleSubject subject = PickleSubject::metadata_or_hashes);

/// Copies one node and all below it out as a tree; nothing if that is more than the limits allow or
/// contains what is no data.
std::optional<PickleValue> plain_value(const PickleNodes& nodes, PickleNodeIndex from,
                                       const PickleLimits& limits);

}  // namespace fragmend::swift
