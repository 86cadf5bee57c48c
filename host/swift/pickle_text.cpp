// Conversions between UTF-8, Latin-1 and Python's escapes.
#include "host/swift/pickle_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fragmend::swift {
namespace {

struct CodePoint {
    std::uint32_t value = 0;
    std::size_t length = 0;  ///< 0: the bytes at this place are not UTF-8.
};

std::uint32_t byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

CodePoint decode_at(std::string_view text, std::size_t at) {
    const std::uint32_t lead = byte_at(text, at);
    if (lead < 0x80) return {lead, 1};
    std::size_t length = 0;
    std::uint32_t value = 0;
    std::uint32_t least = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2, value = lead & 0x1f, least = 0x80;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3, value = lead & 0x0f, least = 0x800;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4, value = lead & 0x07, least = 0x10000;
    }
    if (length == 0 || text.size() - at < length) return {};
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint32_t next = byte_at(text, at + i);
        if ((next & 0xc0) != 0x80) return {};
        value = value << 6 | (next & 0x3f);
    }
    if (value < least || value > 0x10ffff) return {};
    return {value, length};
}

bool is_surrogate(std::uint32_t code_point) {
    return code_point >= 0xd800 && code_point <= 0xdfff;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xc0 | code_point >> 6);
        put(0x80 | (code_point & 0x3f));
    } else if (code_point < 0x10000) {
        put(0xe0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3f));
        put(0x80 | (code_point & 0x3f));
    } else {
        put(0xf0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3f));
        put(0x80 | (code_point >> 6 & 0x3f));
        put(0x80 | (code_point & 0x3f));
    }
}

std::optional<std::uint32_t> hex_number(std::string_view digits) {
    std::uint32_t value = 0;
    for (char c : digits) {
        std::uint32_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<std::uint32_t>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<std::uint32_t>(c - 'a' + 10);
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<std::uint32_t>(c - 'A' + 10);
        } else {
            return std::nullopt;
        }
        value = value << 4 | digit;
    }
    return value;
}

std::optional<char> simple_escape(char letter) {
    switch (letter) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case 'a':
            return '\a';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'v':
            return '\v';
        case '\\':
        case '\'':
        case '"':
            return letter;
        default:
            return std::nullopt;
    }
}

}  // namespace

bool is_ascii(std::string_view text) {
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + at, sizeof eight);
        if ((eight & 0x8080808080808080u) != 0) return false;
    }
    return std::none_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
}

bool is_utf8_or_surrogates(std::string_view text) {
    if (is_ascii(text)) return true;
    for (std::size_t at = 0; at < text.size();) {
        const auto code_point = decode_at(text, at);
        if (code_point.length == 0) return false;
        at += code_point.length;
    }
    return true;
}

std::optional<std::string> utf8_from_raw_unicode_escape(std::string_view text) {
    std::string utf8;
    for (std::size_t at = 0; at < text.size();) {
        const bool escape = text[at] == '\\' && at + 1 < text.size() &&
                            (text[at + 1] == 'u' || text[at + 1] == 'U');
        if (!escape) {
            append_utf8(utf8, static_cast<unsigned char>(text[at++]));
            continue;
        }
        const std::size_t digits = text[at + 1] == 'u' ? 4 : 8;
        if (text.size() - at - 2 < digits) return std::nullopt;
        const auto code_point = hex_number(text.substr(at + 2, digits));
        if (!code_point || *code_point > 0x10ffff) return std::nullopt;
        append_utf8(utf8, *code_point);
        at += 2 + digits;
    }
    return utf8;
}

std::optional<std::string> bytes_from_python_repr(std::string_view text) {
    const bool quoted = text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
                        text.back() == text.front();
    if (!quoted) return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            bytes += text[at];
            continue;
        }
        if (++at >= text.size()) return std::nullopt;
        if (const auto plain = simple_escape(text[at])) {
            bytes += *plain;
        } else if (text[at] == 'x' && at + 2 < text.size()) {
            const auto value = hex_number(text.substr(at + 1, 2));
            if (!value) return std::nullopt;
            bytes += static_cast<char>(*value);
            at += 2;
        } else {
            return std::nullopt;
        }
    }
    return bytes;
}

std::string wire_bytes_from_stored(std::string_view stored) {
    if (is_ascii(stored)) return std::string(stored);
    std::string wire;
    wire.reserve(stored.size());
    for (std::size_t at = 0; at < stored.size();) {
        const auto code_point = decode_at(stored, at);
        if (code_point.length == 0 || is_surrogate(code_point.value)) {
            wire += stored[at++];
        } else if (code_point.value <= 0xff) {
            wire += static_cast<char>(code_point.value);
            at += code_point.length;
        } else {
            wire += stored.substr(at, code_point.length);
            at += code_point.length;
        }
    }
    return wire;
}

}  // namespace fragmend::swift
