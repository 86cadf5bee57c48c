// Swift's timestamp: a count of 10-microsecond units and an optional offset.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace fragmend {

/// A point in time as Swift names files and orders versions.
/// Units:  `raw` counts 10 us since the epoch, 0 <= raw < 10^15.
/// Order:  that of the internal text form, which is the order of (raw, offset).
/// Source: swift.common.utils.Timestamp.
struct Timestamp {
    std::int64_t raw = 0;
    std::uint64_t offset = 0;

    auto operator<=>(const Timestamp&) const = default;

    /// Parses `<seconds>[_<hex offset>]`. Errors: bad_name.
    static Result<Timestamp> parse(std::string_view text);

    /// `1795333043.19771`: seconds with 5 decimals, 16 characters.
    std::string normal() const;
    /// Normal form, then `_` and 16 hex digits when there is an offset: file names and the wire.
    std::string internal() const;
    /// Internal form with an unpadded offset: `.meta` names.
    std::string short_form() const;

    double seconds() const { return static_cast<double>(raw) / 100000.0; }
};

inline constexpr std::int64_t timestamp_raw_end = 1'000'000'000'000'000;

}  // namespace fragmend
