// Waits for a length of time that somebody else may end early.
#pragma once

#include <chrono>
#include <set>

#include "host/base/async.hpp"

namespace fragmend::app {

/// Any number of coroutines sleep here; `wake_all` ends every sleep at once. One executor. Outlives
/// its sleepers.
class Sleeper {
  public:
    explicit Sleeper(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    /// At most a year.
    Awaitable<void> sleep(std::chrono::duration<double> length);
    void wake_all() {
        for (asio::steady_timer* timer : timers_)
            timer->cancel();
    }

  private:
    asio::any_io_executor executor_;
    std::set<asio::steady_timer*> timers_;
};

}  // namespace fragmend::app
