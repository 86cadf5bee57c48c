// The globals that a pickle may name, each done here instead of looked up.
#include "host/swift/pickle_globals.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "host/swift/pickle_text.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

struct KnownGlobal {
    std::string_view module;
    std::string_view name;
    PickleGlobal global;
};
constexpr std::array known_globals{
    KnownGlobal{"_codecs", "encode", PickleGlobal::codecs_encode},
    KnownGlobal{"__builtin__", "bytes", PickleGlobal::bytes},
    KnownGlobal{"builtins", "bytes", PickleGlobal::bytes},
    KnownGlobal{"__builtin__", "dict", PickleGlobal::dict},
    KnownGlobal{"builtins", "dict", PickleGlobal::dict},
    KnownGlobal{"__builtin__", "object", PickleGlobal::object},
    KnownGlobal{"builtins", "object", PickleGlobal::object},
    KnownGlobal{"copy_reg", "_reconstructor", PickleGlobal::reconstructor},
    KnownGlobal{"copyreg", "_reconstructor", PickleGlobal::reconstructor},
    KnownGlobal{"swift.common.swob", "HeaderKeyDict", PickleGlobal::header_key_dict},
    KnownGlobal{"swift.common.header_key_dict", "HeaderKeyDict", PickleGlobal::header_key_dict},
    KnownGlobal{"swift.common.utils", "HeaderKeyDict", PickleGlobal::header_key_dict},
    KnownGlobal{"array", "array", PickleGlobal::array},
    KnownGlobal{"array", "_array_reconstructor", PickleGlobal::array_reconstructor},
    KnownGlobal{"swift.common.ring.ring", "RingData", PickleGlobal::ring_data},
};

bool is_of_rings(PickleGlobal global) {
    return global == PickleGlobal::array || global == PickleGlobal::array_reconstructor ||
           global == PickleGlobal::ring_data;
}

/// Ids in the byte order of this machine, as Python takes them, unless `swapped`.
std::optional<PickleArray> array_from_bytes(std::string_view bytes, bool swapped) {
    if (bytes.size() % 2 != 0) return std::nullopt;
    PickleArray array;
    array.items.resize(bytes.size() / 2);
    if (!bytes.empty()) std::memcpy(array.items.data(), bytes.data(), bytes.size());
    if (!swapped) return array;
    for (std::uint16_t& item : array.items)
        item = static_cast<std::uint16_t>(item << 8 | item >> 8);
    return array;
}

/// `format` is the one of `array._array_reconstructor`, which names the byte order.
std::optional<PickleArray> array_from_format(std::string_view bytes, std::int64_t format) {
    constexpr std::int64_t uint16_little = 2;
    constexpr std::int64_t uint16_big = 3;
    if (format != uint16_little && format != uint16_big) return std::nullopt;
    const bool little_here = std::endian::native == std::endian::little;
    return array_from_bytes(bytes, (format == uint16_little) != little_here);
}

/// Numbers of 16 bits only, as Python's array would insist.
std::optional<PickleArray> array_from_list(const SequenceNode& list, const PickleNodes& nodes,
                                           const PickleLimits& limits) {
    if (list.count > limits.text_bytes / 2) return std::nullopt;
    PickleArray array;
    array.items.reserve(list.count);
    for (const PickleNodeIndex index : nodes.of(list)) {
        const auto* number = std::get_if<std::int64_t>(&nodes[index]);
        if (number == nullptr || *number < 0 || *number > 0xffff) return std::nullopt;
        array.items.push_back(static_cast<std::uint16_t>(*number));
    }
    return array;
}

}  // namespace

std::optional<PickleGlobal> pickle_global(std::string_view module, std::string_view name,
                                          PickleSubject subject) {
    for (const auto& known : known_globals) {
        if (known.module != module || known.name != name) continue;
        if (is_of_rings(known.global) && subject != PickleSubject::ring) return std::nullopt;
        return known.global;
    }
    return std::nullopt;
}

std::optional<PickleNode> call_pickle_global(PickleGlobal global,
                                             std::span<const PickleNodeIndex> arguments,
                                             PickleNodes& nodes, const PickleLimits& limits) {
    const std::size_t count = arguments.size();
    const auto argument = [&](std::size_t i) -> const PickleNode& { return nodes[arguments[i]]; };
    const auto is_global = [&](std::size_t i, PickleGlobal wanted) {
        const auto* found = std::get_if<PickleGlobal>(&argument(i));
        return found != nullptr && *found == wanted;
    };
    const auto is_typecode = [&](std::size_t i) { return characters_of(argument(i)) == "H"; };
    switch (global) {
        case PickleGlobal::codecs_encode: {
            if (count != 2) return std::nullopt;
            const auto* text = std::get_if<TextNode>(&argument(0));
            const auto* codec = std::get_if<TextNode>(&argument(1));
            if (text == nullptr || codec == nullptr) return std::nullopt;
            if (codec->utf8 != "latin1" && codec->utf8 != "latin-1") return std::nullopt;
            if (is_ascii(text->utf8)) return BytesNode{text->utf8};
            auto bytes = to_latin1(text->utf8);
            if (!bytes) return std::nullopt;
            return BytesNode{nodes.keep(std::move(*bytes))};
        }
        case PickleGlobal::bytes:
            if (count != 0) return std::nullopt;
            return BytesNode{};
        case PickleGlobal::dict:
        case PickleGlobal::header_key_dict:
            if (count != 0) return std::nullopt;
            return DictNode{};
        case PickleGlobal::array: {
            if (count < 1 || count > 2 || !is_typecode(0)) return std::nullopt;
            if (count == 1) return PickleArray{};
            if (const auto* list = std::get_if<SequenceNode>(&argument(1))) {
                return array_from_list(*list, nodes, limits);
            }
            const auto* bytes = std::get_if<BytesNode>(&argument(1));
            if (bytes == nullptr) return std::nullopt;
            return array_from_bytes(bytes->bytes, false);
        }
        case PickleGlobal::array_reconstructor: {
            if (count != 4 || !is_global(0, PickleGlobal::array) || !is_typecode(1)) {
                return std::nullopt;
            }
            const auto* format = std::get_if<std::int64_t>(&argument(2));
            const auto* bytes = std::get_if<BytesNode>(&argument(3));
            if (format == nullptr || bytes == nullptr) return std::nullopt;
            return array_from_format(bytes->bytes, *format);
        }
        case PickleGlobal::reconstructor:
            // copy_reg._reconstructor(RingData, object, None) of protocols 0 and 1.
            if (count != 3 || !is_global(0, PickleGlobal::ring_data) ||
                !is_global(1, PickleGlobal::object) ||
                !std::holds_alternative<PickleNone>(argument(2))) {
                return std::nullopt;
            }
            return BareRingNode{};
        case PickleGlobal::object:
        case PickleGlobal::ring_data:
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace fragmend::swift
