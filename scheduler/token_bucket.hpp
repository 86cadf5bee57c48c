// A limit of bytes per second that may change at any moment: arithmetic, no waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

namespace fragmend::scheduler {

/// Whoever wants to move bytes takes a place in line, and may go when all bytes before the place
/// have had their time. So the order is that of asking, a large piece is not split, and a new rate
/// holds at once, for those in line as well. What was not used is kept for `burst`, no longer.
class TokenBucket {
  public:
    using Moment = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds burst{100};

    /// Bytes before a place.
    using Place = double;

    /// `bytes_per_s` 0: no limit.
    TokenBucket(std::uint64_t bytes_per_s, Moment now) : rate_(bytes_per_s), since_(now) {}

    /// Never backwards in time, here and below.
    void set_rate(std::uint64_t bytes_per_s, Moment now);
    std::uint64_t bytes_per_s() const { return rate_; }
    /// A place in line for `bytes`.
    Place reserve(std::uint64_t bytes, Moment now);
    /// The `bytes` of a place will not go: those behind it need not wait for them.
    void give_back(Place place, std::uint64_t bytes, Moment now);
    /// When the bytes of a place may go; not later than `now` when they may go now.
    Moment ready_at(Place place, Moment now) const;

  private:
    double served(Moment now) const;
    void settle(Moment now);

    std::uint64_t rate_;
    Moment since_;
    double served_ = 0;              ///< At `since_`.
    double reserved_ = 0;            ///< Of all places so far.
    std::map<Place, double> holes_;  ///< Bytes that were given back, at places not served yet.
};

}  // namespace fragmend::scheduler
