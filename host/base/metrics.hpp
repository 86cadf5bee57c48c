// Counters and timings for the operator's dashboards: a port, and nobody behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace fragmend {

/// Takes Swift's metrics. Called from any thread; never waits and never fails. Owned by host/app.
class Metrics {
  public:
    virtual ~Metrics() = default;
    /// `amount` more of what `name` counts.
    virtual void count(std::string_view name, std::int64_t amount) = 0;
    void increment(std::string_view name) { count(name, 1); }
    virtual void timing(std::string_view name, std::chrono::duration<double> length) = 0;
};

class NoMetrics final : public Metrics {
  public:
    void count(std::string_view, std::int64_t) override {}
    void timing(std::string_view, std::chrono::duration<double>) override {}
};

}  // namespace fragmend
