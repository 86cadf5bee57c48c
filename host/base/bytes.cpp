// Hex, digits and percent-quoting.
#include "host/base/bytes.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace fragmend {
namespace {

constexpr char lower_digits[] = "0123456789abcdef";
constexpr char upper_digits[] = "0123456789ABCDEF";

constexpr std::array<bool, 256> lower_hex_digits = [] {
    std::array<bool, 256> is_digit{};
    for (const char digit : std::string_view(lower_digits))
        is_digit[static_cast<unsigned char>(digit)] = true;
    return is_digit;
}();

using Sixteen = unsigned char __attribute__((vector_size(16)));

/// Sixteen characters at once, in the vector registers that every x86-64 and ARM64 has.
bool are_lower_hex(const char* sixteen) {
    Sixteen characters;
    std::memcpy(&characters, sixteen, sizeof characters);
    constexpr unsigned char zero = '0', a = 'a';
    // What lies below wraps around to far above.
    const auto is_digit = (characters - zero < 10) | (characters - a < 6);
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), &is_digit, sizeof halves);
    return (halves[0] & halves[1]) == ~std::uint64_t{0};
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '~' || c == '/';
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (std::byte b : bytes) {
        const auto value = std::to_integer<unsigned>(b);
        text += lower_digits[value >> 4];
        text += lower_digits[value & 15];
    }
    return text;
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
    std::uint64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

bool is_lower_hex(std::string_view text, std::size_t length) {
    if (text.size() != length) return false;
    bool all = true;
    for (; text.size() >= sizeof(Sixteen); text.remove_prefix(sizeof(Sixteen)))
        all &= are_lower_hex(text.data());
    for (const char c : text)
        all &= lower_hex_digits[static_cast<unsigned char>(c)];
    return all;
}

std::string percent_quote(std::string_view text) {
    std::string quoted;
    quoted.reserve(text.size());
    for (char c : text) {
        if (is_unreserved(c)) {
            quoted += c;
            continue;
        }
        const auto value = static_cast<unsigned char>(c);
        quoted += '%';
        quoted += upper_digits[value >> 4];
        quoted += upper_digits[value & 15];
    }
    return quoted;
}

std::string percent_unquote(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            plain += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

}  // namespace fragmend
