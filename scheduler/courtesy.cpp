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

constexpr double slow_down = 0.7, speed_up = 0.05;
/// More than so many steps are not made up for at once.
constexpr double steps_max = 4;
/// One answer says no more than this, or a single one in a thousand would slow us down.
constexpr double slowness_counted_max = 10;
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
    if (peers_.size() >= peers_max) peers_.clear();
    const auto took = static_cast<double>(std::max(latency, Nanoseconds(fast)).count());
    Peer& known = peers_.try_emplace(peer, Peer{took, now}).first->second;
    known = {std::min(took, best_of(known, now)), now};
    count(took / known.best_ns, now);
}

void Courtesy::no_answer(const std::string& peer, Nanoseconds at_least, Moment now) {
    const auto known = peers_.find(peer);
    if (known == peers_.end() || now - known->second.known_at > memory) return;
    Peer& silent = known->second;
    const double slowness = static_cast<double>(at_least.count()) / best_of(silent, now);
    if (slowness <= manner_of(profile_).slowness_max) return;
    const bool is_first = !silent.silent_since || now - silent.silent_at > gone / 2;
    if (is_first) silent.silent_since = std::max(silent.known_at, now - at_least);
    silent.silent_at = now;
    if (now - *silent.silent_since > gone) return;
    // The many quick answers just before everybody fell silent do not outweigh it.
    if (now - heard_ >= silence) forget();
    count(slowness, now);
}

double Courtesy::best_of(const Peer& peer, Moment now) {
    return peer.best_ns * (1 + std::chrono::duration<double>(now - peer.known_at) / memory);
}

void Courtesy::count(double slowness, Moment now) {
    slowness_sum_ += std::min(slowness, slowness_counted_max);
    ++answers_;
    heard_ = now;
    if (now - adjusted_ >= step) adjust(slowness_sum_ / static_cast<double>(answers_), now);
}

void Courtesy::look(Moment now) {
    const bool is_silent = open_ == 0 && now - heard_ >= silence;
    if (is_silent && now - adjusted_ >= step) adjust(1, now);
}

void Courtesy::adjust(double slowness, Moment now) {
    const double steps = std::min(steps_max, std::chrono::duration<double>(now - adjusted_) / step);
    adjusted_ = now;
    forget();
    if (profile_ == Profile::urgent) return;
    const Manner manner = manner_of(profile_);
    pace_ = slowness > manner.slowness_max ? std::max(manner.pace_min, pace_ * slow_down)
                                           : std::min(1.0, pace_ + speed_up * steps);
}

void Courtesy::forget() {
    slowness_sum_ = 0;
    answers_ = 0;
}

Courtesy::Nanoseconds Courtesy::rest_after(Nanoseconds worked) const {
    if (pace_ >= 1) return Nanoseconds(0);
    const double rest = static_cast<double>(worked.count()) * (1 / pace_ - 1);
    const auto most = static_cast<double>(Nanoseconds(rest_max).count());
    return Nanoseconds(static_cast<std::int64_t>(std::min(rest, most)));
}

}  // namespace fragmend::scheduler
