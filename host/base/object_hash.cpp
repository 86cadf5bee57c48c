// Object hashes from and to hex.
#include "host/base/object_hash.hpp"

#include <charconv>

namespace fragmend {

std::optional<ObjectHash> ObjectHash::parse(std::string_view text) {
    if (!is_lower_hex(text, digits)) return std::nullopt;
    ObjectHash hash;
    for (std::size_t i = 0; i < hash.bytes_.size(); ++i) {
        std::uint8_t byte = 0;
        std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, byte, 16);
        hash.bytes_[i] = std::byte{byte};
    }
    return hash;
}

std::uint64_t ObjectHash::first_half() const {
    std::uint64_t half = 0;
    for (std::size_t i = 0; i < sizeof half; ++i)
        half = half << 8 | std::to_integer<std::uint64_t>(bytes_[i]);
    return half;
}

}  // namespace fragmend
