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
    double served = served_ + rate * Seconds(now - since_).count();
    for (const auto& [place, bytes] : holes_) {
        if (place > served) break;
        served += bytes;
    }
    return std::min(served, reserved_ + rate * Seconds(burst).count());
}

void TokenBucket::settle(Moment now) {
    served_ = served(now);
    since_ = now;
    holes_.erase(holes_.begin(), holes_.upper_bound(served_));
}

void TokenBucket::set_rate(std::uint64_t bytes_per_s, Moment now) {
    settle(now);
    rate_ = bytes_per_s;
}

TokenBucket::Place TokenBucket::reserve(std::uint64_t bytes, Moment now) {
    settle(now);
    const Place place = reserved_;
    reserved_ += static_cast<double>(bytes);
    if (rate_ == 0) served_ = reserved_;
    return place;
}

void TokenBucket::give_back(Place place, std::uint64_t bytes, Moment now) {
    settle(now);
    if (place > served_) {
        holes_[place] += static_cast<double>(bytes);
    } else {
        // What has been served for nothing serves those behind it; but nothing is saved up.
        served_ = std::max(served_, std::min(served_ + static_cast<double>(bytes), reserved_));
    }
}

TokenBucket::Moment TokenBucket::ready_at(Place place, Moment now) const {
    const double now_served = served(now);
    double missing = place - now_served;
    for (auto hole = holes_.upper_bound(now_served); hole != holes_.end() && hole->first < place;
         ++hole) {
        missing -= hole->second;
    }
    if (missing <= 0) return now;
    const Seconds wait = std::min(Seconds(missing / static_cast<double>(rate_)), wait_max);
    return now + std::chrono::ceil<Moment::duration>(wait);
}

}  // namespace fragmend::scheduler
