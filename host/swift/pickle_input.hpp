// The bytes of a pickle, taken apart from the front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fragmend::swift {

/// Takes the bytes apart; every getter says no instead of reading past the end.
class PickleInput {
  public:
    explicit PickleInput(std::string_view bytes) : bytes_(bytes) {}
    std::size_t offset() const { return at_; }

    std::optional<std::uint8_t> byte() {
        if (at_ >= bytes_.size()) return std::nullopt;
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }
    std::optional<std::uint64_t> little_endian(std::size_t width) {
        const auto raw = take(width);
        if (!raw) return std::nullopt;
        std::uint64_t value = 0;
        for (std::size_t i = width; i-- > 0;) {
            value = value << 8 | static_cast<unsigned char>((*raw)[i]);
        }
        return value;
    }
    std::optional<std::string_view> take(std::uint64_t length) {
        if (length > bytes_.size() - at_) return std::nullopt;
        const auto text = bytes_.substr(at_, length);
        at_ += length;
        return text;
    }
    /// A length of `width` bytes and that many bytes.
    std::optional<std::string_view> counted(std::size_t width) {
        const auto length = little_endian(width);
        if (!length) return std::nullopt;
        return take(*length);
    }
    std::optional<std::string_view> line() {
        const auto end = bytes_.find('\n', at_);
        if (end == std::string_view::npos) return std::nullopt;
        const auto text = bytes_.substr(at_, end - at_);
        at_ = end + 1;
        return text;
    }

  private:
    std::string_view bytes_;
    std::size_t at_ = 0;
};

}  // namespace fragmend::swift
