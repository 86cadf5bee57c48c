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

/// `length` for timers, which count nanoseconds; a year if it is longer, whatever overflows them
/// included.
inline std::chrono::nanoseconds at_most_a_year(std::chrono::duration<double> length) {
    constexpr std::chrono::duration<double> year = std::chrono::years(1);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(length < year ? length : year);
}

}  // namespace fragmend
