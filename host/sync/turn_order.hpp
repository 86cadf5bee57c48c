// In which order a pass takes its partitions: a decision, no I/O.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace fragmend::sync {

/// Partitions of one device that one visit to a disk thread looks at, at most: waking one costs
/// more than the look.
inline constexpr std::size_t looked_at_together = 8;
/// The same where so many may be in flight: a quarter of these is free even while slow targets have
/// the rest.
constexpr std::size_t group_max(std::size_t in_flight) {
    return std::clamp(in_flight / 4, std::size_t{1}, looked_at_together);
}

/// A partition that has not begun.
struct WaitingTurn {
    std::string_view local_device;  ///< The one that holds it here.
    std::size_t lost = 0;           ///< Of its primaries, that are lost or empty (sync::Risks).
};

/// Positions in `turns` in the order of serving. Those with the most lost primaries come first:
/// their objects have the fewest spare fragments. Equals come at random, up to `looked_at_together`
/// of one device side by side: one that hangs holds up nobody else's. Every turn of a pass is
/// served once, and none joins it later: whoever comes last is served all the same.
std::vector<std::size_t> turn_order(std::span<const WaitingTurn> turns, std::mt19937_64& random);

}  // namespace fragmend::sync
