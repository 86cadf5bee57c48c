// What one session of a SYNC job is about.
#pragma once

#include <string>
#include <vector>

#include "host/base/node.hpp"

namespace fragmend::sync {

struct SessionPlan {
    std::string partition;  ///< Decimal.
    Node local_device;
    int local_index = 0;  ///< Fragment index of the job: what we offer.
    Node target;
    int wanted_index = 0;               ///< Backend index of the target: what we rebuild.
    std::vector<std::string> suffixes;  ///< Out of sync.
};

}  // namespace fragmend::sync
