// Bytes served as a function of time.
#include "scheduler/token_bucket.hpp"

#include <algorithm>

namespace fragmend::scheduler {
namespace {

using Seconds = std::chrono::duration<double>;
/// Far away, and still a duration that clocks can add.
constexpr Seconds wait_max = std::chrono::hours(24);

}  // namespace

double TokenBucket::served(Moment now) const {
    if (rate_ == 0) return reserved_;
    const auto rate = static_cast<double>(rate_);
    const double most = reserved_ + rate * Seconds(burst).count();
    return std::min(most, served_ + rate * Seconds(now - since_).count());
}

void TokenBucket::set_rate(std::uint64_t bytes_per_s, Moment now) {
    served_ = served(now);
    since_ = now;
    rate_ = bytes_per_s;
}

TokenBucket::Place TokenBucket::reserve(std::uint64_t bytes, Moment now) {
    served_ = served(now);
    since_ = now;
    const Place place = reserved_;
    reserved_ += static_cast<double>(bytes);
    if (rate_ == 0) served_ = reserved_;
    return place;
}

void TokenBucket::give_back(std::uint64_t bytes, Moment now) {
    served_ = std::min(served(now) + static_cast<double>(bytes), reserved_);
    since_ = now;
}

TokenBucket::Moment TokenBucket::ready_at(Place place, Moment now) const {
    const double missing = place - served(now);
    if (missing <= 0) return now;
    const Seconds wait = std::min(Seconds(missing / static_cast<double>(rate_)), wait_max);
    return now + std::chrono::ceil<Moment::duration>(wait);
}

}  // namespace fragmend::scheduler
