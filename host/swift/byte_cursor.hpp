// A cursor over foreign bytes that never reads past their end.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fragmend::swift {

/// Reads big-endian numbers and runs of bytes from the front of `bytes`.
class ByteCursor {
  public:
    explicit ByteCursor(std::string_view bytes) : rest_(bytes) {}

    std::string_view rest() const { return rest_; }

    /// The next `count` bytes; nothing when there are fewer, and then nothing is consumed.
    std::optional<std::string_view> take(std::uint64_t count) {
        if (count > rest_.size()) return std::nullopt;
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    /// An unsigned number of `bytes` <= 8 bytes, most significant first.
    std::optional<std::uint64_t> number(std::uint64_t bytes) {
        const auto taken = take(bytes);
        if (!taken) return std::nullopt;
        std::uint64_t value = 0;
        for (const char c : *taken)
            value = (value << 8) | static_cast<unsigned char>(c);
        return value;
    }

  private:
    std::string_view rest_;
};

}  // namespace fragmend::swift
