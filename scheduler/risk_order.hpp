// In which order a session serves what it is asked for: a decision, no I/O.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "host/base/timestamp.hpp"

namespace fragmend::scheduler {

/// One object of a session.
struct AtRisk {
    /// Fragments that are known to be missing beside the wanted one: each is a spare less.
    std::size_t missing = 0;
    Timestamp data;  ///< When it was written; older ones have been at risk for longer.
};

/// Positions in `objects` in the order of serving: the fewest spare fragments first (of one policy:
/// the most missing ones), the oldest among them, and otherwise as they came. Every object of a
/// session is served once and nothing joins it later, so whoever comes last is served all the same;
/// an object whose body breaks sessions is left out after a few of them (sync::Suspects), so one at
/// the head cannot keep the others waiting for ever.
std::vector<std::size_t> risk_order(std::span<const AtRisk> objects);

}  // namespace fragmend::scheduler
