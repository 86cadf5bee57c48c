// Time as a parameter: what the wall says, and what a stopwatch says.
#pragma once

#include <chrono>

#include "host/base/timestamp.hpp"

namespace fragmend {

/// Source of time, passed in wherever a decision depends on it, so that tests own it.
class Clock {
  public:
    virtual ~Clock() = default;
    /// Wall time in Swift's units.
    virtual Timestamp now() const = 0;
    /// Monotonic time for durations.
    virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
  public:
    Timestamp now() const override {
        using namespace std::chrono;
        const auto since = system_clock::now().time_since_epoch();
        return {duration_cast<duration<std::int64_t, std::ratio<1, 100000>>>(since).count(), 0};
    }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::now();
    }
};

}  // namespace fragmend
