// The name of an object in its partition: 16 bytes, written as 32 hex digits.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"

namespace fragmend {

/// As lists of thousands hold it. Source: swift.common.utils.hash_path.
class ObjectHash {
  public:
    static constexpr std::size_t digits = 32;

    ObjectHash() = default;
    /// Nothing unless `text` is 32 lower-case hex digits.
    static std::optional<ObjectHash> parse(std::string_view text);
    std::string hex() const { return to_hex(bytes_); }
    /// The first 64 bits as a number.
    std::uint64_t first_half() const;

    auto operator<=>(const ObjectHash&) const = default;

  private:
    std::array<std::byte, digits / 2> bytes_{};
};

}  // namespace fragmend
