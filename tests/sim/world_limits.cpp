// Bytes against rates: what moves in a pass, and what the limits of its throttle let through.
#include <algorithm>

#include "tests/sim/world.hpp"

namespace fragmend::sim {

namespace {

using Seconds = std::chrono::duration<double>;

/// Of a pass, for what its rate lets through at least: then nothing else can be what holds it up.
constexpr double obvious_part = 0.8;
constexpr Seconds obvious_time{2};

}  // namespace

void World::set_throttle(const scheduler::ThrottleSettings& settings) {
    rates_.emplace_back(VirtualTime::now(), settings);
    throttle_->change(settings);
}

std::optional<double> World::let_through(
    const std::function<std::uint64_t(const scheduler::ThrottleSettings&)>& rate_of) const {
    double bytes = 0, fastest = 0;
    for (std::size_t i = 0; i < rates_.size(); ++i) {
        const auto rate = static_cast<double>(rate_of(rates_[i].second));
        if (rate == 0) return std::nullopt;
        const Moment until = i + 1 < rates_.size() ? rates_[i + 1].first : VirtualTime::now();
        bytes += rate * Seconds(until - rates_[i].first).count();
        fastest = std::max(fastest, rate);
    }
    return bytes + fastest * Seconds(scheduler::TokenBucket::burst).count();
}

/// Every window that begins with the pass: then nothing is under way that was let through before.
void World::check_moved(const char* what, Moved& moved, std::uint32_t device, std::size_t bytes,
                        scheduler::ByteRates scheduler::ThrottleSettings::*direction) {
    if (throttle_ == nullptr) return;
    moved.total += bytes;
    moved.peers[device] += bytes;
    const auto check = [&](const std::string& whom, std::uint64_t all, auto rate) {
        const auto most = let_through(
            [&](const scheduler::ThrottleSettings& settings) { return settings.*direction.*rate; });
        if (!most) return;
        ++tally_.windows;
        // A piece is not split: the last one may begin to go when those before it had their time.
        if (static_cast<double>(all) > *most + static_cast<double>(piece_bytes_max_)) {
            violation(std::to_string(all) + " bytes were " + what + whom + " in a pass, let are " +
                      std::to_string(*most));
        }
    };
    const std::string name = peer_of(device).node.replication_name();
    check("all", moved.total, &scheduler::ByteRates::total);
    check(name, moved.peers[device], &scheduler::ByteRates::per_node);
    check(name, moved.peers[device], &scheduler::ByteRates::per_device);
}

void World::check_limited_by(const Pass& pass) {
    if (rates_.size() != 1) return;
    const auto waits = scheduler::waits_of(rebuild_stats_, VirtualTime::now()) - pass.waits;
    const auto is_obvious = [&](const Moved& moved, std::uint64_t rate) {
        if (rate == 0 || moved.total <= piece_bytes_max_) return false;
        // The last piece does not wait for its own time, nor what was saved up.
        const auto bytes = static_cast<double>(moved.total - piece_bytes_max_);
        const Seconds least =
            Seconds(bytes / static_cast<double>(rate)) - scheduler::TokenBucket::burst;
        return least > obvious_time &&
               least > obvious_part * Seconds(VirtualTime::now() - pass.began);
    };
    const auto& settings = rates_.front().second;
    if (!is_obvious(sent_, settings.send.total) && !is_obvious(read_, settings.read.total)) return;
    ++tally_.limited;
    const auto limit = scheduler::limited_by(waits);
    if (limit != scheduler::LimitedBy::throttle) {
        violation("a pass that its throttle holds up is limited by " +
                  std::string(scheduler::to_string(limit)));
    }
}

}  // namespace fragmend::sim
