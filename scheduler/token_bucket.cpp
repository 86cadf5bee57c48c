// Bytes that may go as a function of time.
#include "scheduler/token_bucket.hpp"

#include <algorithm>

namespace fragmend::scheduler {
namespace {

using Seconds = std::chrono::duration<double>;
/// Far away, and still a duration that clocks can add.
constexpr Seconds wait_max = std::chrono::hours(24);

}  // namespace

double TokenBucket::credit(Moment now) const {
    if (rate_ == 0) return 0;
    const auto rate = static_cast<double>(rate_);
    return std::min(credit_ + rate * Seconds(now - since_).count(), rate * Seconds(burst).count());
}

void TokenBucket::settle(Moment now) {
    credit_ = credit(now);
    since_ = now;
}

void TokenBucket::set_rate(std::uint64_t bytes_per_s, Moment now) {
    settle(now);
    rate_ = bytes_per_s;
}

void TokenBucket::take(std::uint64_t bytes, Moment now) {
    settle(now);
    credit_ -= static_cast<double>(bytes);
}

void TokenBucket::give_back(std::uint64_t bytes, Moment now) {
    settle(now);
    credit_ += static_cast<double>(bytes);
}

TokenBucket::Moment TokenBucket::free_at(Moment now) const {
    const double missing = -credit(now);
    if (missing <= 0) return now;
    const Seconds wait = std::min(Seconds(missing / static_cast<double>(rate_)), wait_max);
    return now + std::chrono::ceil<Moment::duration>(wait);
}

}  // namespace fragmend::scheduler
