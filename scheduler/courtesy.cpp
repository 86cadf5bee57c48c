// Latencies in, pace out.
#include "scheduler/courtesy.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::scheduler {
namespace {

struct Manner {
    double slowness_max;  ///< Beyond it we slow down.
    double pace_min;
};

/// Of `urgent` nothing is asked.
Manner manner_of(Profile profile) {
    return profile == Profile::polite ? Manner{1.5, 0.05} : Manner{3.0, 0.25};
}

constexpr double newest_part = 1.0 / 16;
constexpr double slow_down = 0.7, speed_up = 0.05;
/// A best that is never met again fades by so much with each answer.
constexpr double fading = 1.001;
constexpr std::size_t peers_max = 100'000;

}  // namespace

std::string_view to_string(Profile profile) {
    switch (profile) {
        case Profile::polite:
            return "polite";
        case Profile::balanced:
            return "balanced";
        default:
            return "urgent";
    }
}

void Courtesy::set_profile(Profile profile) {
    if (std::exchange(profile_, profile) != profile) pace_ = 1;
}

void Courtesy::answered(const std::string& peer, Nanoseconds latency, Moment now) {
    if (best_ns_.size() >= peers_max) best_ns_.clear();
    const auto took = static_cast<double>(std::max(latency, Nanoseconds(fast)).count());
    double& best = best_ns_.try_emplace(peer, took).first->second;
    best = std::min(took, best * fading);
    slowness_ += (took / best - slowness_) * newest_part;
    adjust(now);
}

void Courtesy::adjust(Moment now) {
    if (now - adjusted_ < step) return;
    adjusted_ = now;
    if (profile_ == Profile::urgent) return;
    const Manner manner = manner_of(profile_);
    pace_ = slowness_ > manner.slowness_max ? std::max(manner.pace_min, pace_ * slow_down)
                                            : std::min(1.0, pace_ + speed_up);
}

Courtesy::Nanoseconds Courtesy::rest_after(Nanoseconds worked) const {
    if (pace_ >= 1) return Nanoseconds(0);
    const double rest = static_cast<double>(worked.count()) * (1 / pace_ - 1);
    const auto most = static_cast<double>(Nanoseconds(rest_max).count());
    return Nanoseconds(static_cast<std::int64_t>(std::min(rest, most)));
}

}  // namespace fragmend::scheduler
