// The name of a suffix, held in place.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <ostream>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace fragmend::swift {

/// Three lower-case hex digits. Lists of suffixes are long and live as long as the partition is
/// worked on; as strings they would take ten times as much.
class SuffixName {
  public:
    SuffixName(std::string_view text) {
        FRAGMEND_ASSERT(text.size() == text_.size());
        std::ranges::copy(text, text_.begin());
    }
    SuffixName(const std::string& text) : SuffixName(std::string_view(text)) {}
    SuffixName(const char* text) : SuffixName(std::string_view(text)) {}
    /// The one with that number, see `suffix_number`.
    static SuffixName of(std::size_t number) {
        constexpr std::string_view digits = "0123456789abcdef";
        const char text[] = {digits[number >> 8 & 0xf], digits[number >> 4 & 0xf],
                             digits[number & 0xf]};
        return std::string_view(text, sizeof text);
    }
    operator std::string_view() const { return {text_.data(), text_.size()}; }
    auto operator<=>(const SuffixName&) const = default;
    friend std::ostream& operator<<(std::ostream& out, const SuffixName& name) {
        return out << std::string_view(name);
    }

  private:
    std::array<char, 3> text_;
};

}  // namespace fragmend::swift
