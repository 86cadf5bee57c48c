// A limit of bytes per second that may change at any moment: arithmetic, no waiting.
#pragma once

#include <chrono>
#include <cstdint>

namespace fragmend::scheduler {

/// Bytes may go when all that went before have had their time. So a large piece is not split, and a
/// new rate holds at once, for those who wait as well. What was not used is kept for `burst`, no
/// longer.
class TokenBucket {
  public:
    using Moment = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds burst{100};

    /// `bytes_per_s` 0: no limit.
    TokenBucket(std::uint64_t bytes_per_s, Moment now) : rate_(bytes_per_s), since_(now) {}

    /// Never backwards in time, here and below.
    void set_rate(std::uint64_t bytes_per_s, Moment now);
    std::uint64_t bytes_per_s() const { return rate_; }
    /// `bytes` go now.
    void take(std::uint64_t bytes, Moment now);
    /// They did not go after all.
    void give_back(std::uint64_t bytes, Moment now);
    /// When the next ones may go; `now` when they may go now.
    Moment free_at(Moment now) const;

  private:
    double credit(Moment now) const;
    void settle(Moment now);

    std::uint64_t rate_;
    Moment since_;
    double credit_ = 0;  ///< Bytes at `since_`; below 0: that many have not had their time yet.
};

}  // namespace fragmend::scheduler
