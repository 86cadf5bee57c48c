// Opcodes of numbers and strings.
#include "host/swift/pickle_scalars.hpp"

#include <bit>
#include <charconv>
#include <string>

#include "host/swift/pickle_text.hpp"

namespace fragmend::swift {
namespace {

using Node = std::optional<PickleNode>;

Node text(std::optional<std::string_view> utf8) {
    if (!utf8 || !is_utf8_or_surrogates(*utf8)) return std::nullopt;
    return TextNode{*utf8};
}

Node bytes(std::optional<std::string_view> raw) {
    if (!raw) return std::nullopt;
    return BytesNode{*raw};
}

Node integer(std::optional<std::int64_t> value) {
    if (!value) return std::nullopt;
    return *value;
}

/// LONG1 and LONG4: two's complement, little endian, any length; we keep what fits 64 bits.
Node long_integer(std::optional<std::string_view> raw) {
    if (!raw || raw->size() > 8) return std::nullopt;
    std::uint64_t value = 0;
    if (!raw->empty() && (static_cast<unsigned char>(raw->back()) & 0x80) != 0) {
        value = ~std::uint64_t{0};
    }
    for (std::size_t i = raw->size(); i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>((*raw)[i]);
    }
    return std::bit_cast<std::int64_t>(value);
}

std::optional<std::int64_t> signed_from(std::optional<std::uint64_t> value) {
    if (!value) return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

}  // namespace

std::optional<std::int64_t> pickle_decimal(std::optional<std::string_view> text) {
    if (!text) return std::nullopt;
    std::int64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto parsed = std::from_chars(text->data(), end, value);
    if (text->empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

Node read_pickle_number(std::uint8_t opcode, PickleInput& input) {
    switch (opcode) {
        case 'N':
            return PickleNone{};
        case 0x88:
            return true;
        case 0x89:
            return false;
        case 'K':
            return integer(signed_from(input.little_endian(1)));
        case 'M':
            return integer(signed_from(input.little_endian(2)));
        case 'J': {
            const auto raw = input.little_endian(4);
            if (!raw) return std::nullopt;
            return std::int64_t{static_cast<std::int32_t>(static_cast<std::uint32_t>(*raw))};
        }
        case 0x8a:
            return long_integer(input.counted(1));
        case 0x8b:
            return long_integer(input.counted(4));
        case 'I': {
            const auto line = input.line();
            if (line == "00") return false;
            if (line == "01") return true;
            return integer(pickle_decimal(line));
        }
        case 'L': {
            auto line = input.line();
            if (line && !line->empty() && line->back() == 'L') line->remove_suffix(1);
            return integer(pickle_decimal(line));
        }
        case 'F': {
            const auto line = input.line();
            double value = 0;
            if (!line || line->empty()) return std::nullopt;
            const auto* end = line->data() + line->size();
            const auto parsed = std::from_chars(line->data(), end, value);
            if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
            return value;
        }
        case 'G': {
            const auto raw = input.little_endian(8);
            if (!raw) return std::nullopt;
            return std::bit_cast<double>(__builtin_bswap64(*raw));
        }
        default:
            return std::nullopt;
    }
}

Node read_pickle_string(std::uint8_t opcode, PickleInput& input, PickleNodes& nodes) {
    switch (opcode) {
        case 'X':
            return text(input.counted(4));
        case 0x8c:
            return text(input.counted(1));
        case 0x8d:
            return text(input.counted(8));
        case 'V': {
            const auto line = input.line();
            auto utf8 = line ? utf8_from_raw_unicode_escape(*line) : std::nullopt;
            if (!utf8) return std::nullopt;
            return text(nodes.keep(std::move(*utf8)));
        }
        case 'U':
        case 'C':
            return bytes(input.counted(1));
        case 'T': {
            const auto length = input.little_endian(4);
            if (!length || *length > 0x7fffffff) return std::nullopt;
            return bytes(input.take(*length));
        }
        case 'B':
            return bytes(input.counted(4));
        case 0x8e:
            return bytes(input.counted(8));
        case 'S': {
            const auto line = input.line();
            auto raw = line ? bytes_from_python_repr(*line) : std::nullopt;
            if (!raw) return std::nullopt;
            return bytes(nodes.keep(std::move(*raw)));
        }
        default:
            return std::nullopt;
    }
}

}  // namespace fragmend::swift
