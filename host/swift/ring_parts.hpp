// What a ring file says, before anything is derived from it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/base/node.hpp"

namespace fragmend::swift {

/// Device ids of all rows back to back, each row one entry a partition, the last one maybe shorter.
/// Rings with 16-bit ids, which are nearly all, take half the memory.
class Assignments {
  public:
    std::vector<std::uint16_t> narrow;  ///< Filled when ids have 16 bits,
    std::vector<std::uint32_t> wide;    ///< otherwise these are.

    std::uint64_t size() const { return narrow.empty() ? wide.size() : narrow.size(); }
    std::uint32_t operator[](std::uint64_t at) const {
        return narrow.empty() ? wide[at] : narrow[at];
    }
};

/// Source: swift.common.ring.RingData.
struct RingParts {
    std::vector<std::optional<Node>> devices;  ///< By id; nothing where a device was removed.
    std::uint32_t part_shift = 32;             ///< 32 - part power.
    Assignments assignments;
    std::optional<std::int64_t> next_part_power;
    std::optional<std::int64_t> version;  ///< Of the builder.
};

}  // namespace fragmend::swift
