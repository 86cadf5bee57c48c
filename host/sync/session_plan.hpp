// What one session of a SYNC job is about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/node.hpp"
#include "host/swift/suffix_name.hpp"

namespace fragmend::sync {

/// A target whose session comes later in the same job.
struct LaterTarget {
    std::uint32_t device_id = 0;
    int wanted_index = 0;
    std::vector<swift::SuffixName> suffixes;  ///< Out of sync, sorted.
};

struct SessionPlan {
    std::string partition;  ///< Decimal.
    Node local_device;
    int local_index = 0;  ///< Fragment index of the job: what we offer.
    Node target;
    int wanted_index = 0;                     ///< Backend index of the target: what we rebuild.
    std::vector<swift::SuffixName> suffixes;  ///< Out of sync.
    /// The job, by which the stash knows what belongs together; nothing: nothing is shared.
    const void* job = nullptr;
    std::vector<LaterTarget> later = {};  ///< With wanted indexes of their own.
};

}  // namespace fragmend::sync
