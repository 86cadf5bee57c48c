// Gathering the numbers, and the verdict.
#include "scheduler/snapshot.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "scheduler/dispatcher.hpp"
#include "scheduler/memory_budget.hpp"

namespace fragmend::scheduler {
namespace {

/// Less than this in all is no wait.
constexpr std::chrono::milliseconds mentionable{1};

}  // namespace

std::string_view to_string(LimitedBy limit) {
    switch (limit) {
        case LimitedBy::source:
            return "source";
        case LimitedBy::network:
            return "network";
        case LimitedBy::target:
            return "target";
        case LimitedBy::decode:
            return "decode";
        case LimitedBy::memory:
            return "memory";
        case LimitedBy::throttle:
            return "throttle";
        default:
            return "nothing";
    }
}

Waits Waits::operator-(const Waits& earlier) const {
    return {source - earlier.source,
            network - earlier.network,
            target - earlier.target,
            starving - earlier.starving,
            decode - earlier.decode,
            memory - earlier.memory,
            throttle - earlier.throttle,
            disk - earlier.disk,
            any_throttle - earlier.any_throttle,
            any_session - earlier.any_session};
}

Waits waits_of(const RebuildStats& stats, WaitSum::Moment now) {
    return {stats.wait_for_open.until(now),
            stats.wait_for_survivors.until(now),
            stats.wait_for_target.until(now),
            stats.wait_of_session.until(now),
            stats.wait_for_decode.until(now),
            stats.wait_for_budget.until(now),
            stats.wait_for_throttle.until(now),
            stats.wait_for_disk.until(now),
            stats.wait_for_throttle.any_until(now),
            std::max(stats.wait_for_target.any_until(now), stats.wait_of_session.any_until(now))};
}

LimitedBy limited_by(const Waits& waits) {
    const auto session = std::max(waits.target, waits.starving);
    const std::array<std::pair<std::chrono::nanoseconds, LimitedBy>, 4> causes = {
        std::pair(waits.source, LimitedBy::source), std::pair(waits.network, LimitedBy::network),
        std::pair(waits.decode, LimitedBy::decode), std::pair(waits.memory, LimitedBy::memory)};
    const auto longest =
        *std::ranges::max_element(causes, {}, [](const auto& one) { return one.first; });
    if (std::max({session, longest.first, waits.throttle}) < mentionable) return LimitedBy::nothing;
    const bool throttled =
        2 * waits.throttle >= session &&
        (waits.any_session.count() == 0 || 2 * waits.any_throttle >= waits.any_session);
    if (throttled && waits.throttle >= mentionable) return LimitedBy::throttle;
    if (waits.target >= waits.starving && waits.target >= mentionable) return LimitedBy::target;
    return longest.second;
}

std::uint64_t Snapshot::objects_running() const {
    return rebuilds.objects_started - rebuilds.objects_verified - rebuilds.objects_failed -
           rebuilds.objects_cancelled;
}

double Snapshot::batch_fill() const {
    if (batches.batches == 0) return 0;
    return static_cast<double>(batches.items) / static_cast<double>(batches.batches);
}

Snapshot take_snapshot(const RebuildStats& stats, const Dispatcher& dispatcher,
                       const MemoryBudget& budget, WaitSum::Moment now) {
    return {stats,
            waits_of(stats, now),
            dispatcher.stats(),
            dispatcher.queued_items(),
            dispatcher.busy_workers(),
            budget.in_use_bytes(),
            budget.peak_bytes(),
            budget.capacity_bytes()};
}

}  // namespace fragmend::scheduler
