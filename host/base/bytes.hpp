// Small things about bytes and text that every room needs: hex, digits, percent-quoting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fragmend {

using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;

inline ByteView as_bytes_view(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hex.
std::string to_hex(ByteView bytes);
/// Digits only: no sign, no blanks, no more than fits. Nothing else is a number to us.
std::optional<std::uint64_t> parse_digits(std::string_view text);
/// True for exactly `length` characters of [0-9a-f].
bool is_lower_hex(std::string_view text, std::size_t length);
/// urllib.parse.quote with "/" safe: everything but letters, digits and `_.-~/` as %XX.
std::string percent_quote(std::string_view text);
std::string percent_unquote(std::string_view text);

}  // namespace fragmend
