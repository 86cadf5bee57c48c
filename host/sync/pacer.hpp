// Gives way between the pieces of one line of work.
#pragma once

#include <chrono>

#include "host/sync/activity.hpp"
#include "host/sync/services.hpp"

namespace fragmend::sync {

/// Work counts from the construction, and from the end of each rest. Runs on the network thread;
/// what the constructor takes outlives it.
class Pacer {
  public:
    Pacer(Services& services, Activity& activity)
        : services_(services), activity_(activity), working_since_(services.clock.steady()) {}

    /// Rests as the profile wants it. Errors: cancelled (hurried, or `stop` was set and the
    /// throttle woken).
    Awaitable<Result<void>> rest(const bool& stop);

  private:
    Services& services_;
    Activity& activity_;
    std::chrono::steady_clock::time_point working_since_;
};

}  // namespace fragmend::sync
