// Survivors against their plan and against each other.
#pragma once

#include <optional>

#include "host/codec/fragment_header.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

/// Checks the headers and lengths of all survivors of an item, whose plan is a `FragmentPlan`;
/// returns the header that the output's fields come from. Nothing, and the item refused with its
/// culprit named, when one is not what the plan says or contradicts itself or the others.
std::optional<FragmentHeader> check_survivors(scheduler::SegmentWork& item);

}  // namespace fragmend::codec
