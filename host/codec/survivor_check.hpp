// Survivors against their plan and against each other.
#pragma once

#include <optional>

#include "host/codec/fragment_header.hpp"
#include "scheduler/codec.hpp"

namespace fragmend::codec {

/// Checks the survivors of items, whose plans are `FragmentPlan`s, one after another. Remembers the
/// last header that it parsed: full segments of a policy all have the same, but for the index.
/// Owned by a codec's thread.
class SurvivorCheck {
  public:
    /// Checks the headers and lengths of all survivors of an item; returns what the headers have in
    /// common, good until the next call. Null, and the item refused with its culprit named, when
    /// one is not what the plan says or contradicts itself or the others.
    const SiblingHeaders* run(scheduler::SegmentWork& item);

  private:
    std::optional<SiblingHeaders> last_;
    /// What `last_` was checked against, beside the index.
    std::uint8_t back_end_id_ = 0;
    int k_ = 0;
    std::size_t fragment_bytes_ = 0;
};

}  // namespace fragmend::codec
