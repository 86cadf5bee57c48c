// The partners of a job: who lacks what, one after the other.
#include "host/sync/sync_job.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fragmend::sync {

SyncJobRun::SyncJobRun(Services& services, const PolicyContext& policy, const scan::SyncJob& job,
                       Visits visits)
    : services_(services),
      policy_(policy),
      job_(job),
      visits_(std::move(visits)),
      agreement_(job.hashes),
      activity_(services.activities, name_of(job, policy), [this] { cancel(Ending::now); }),
      calls_(services, policy, job.partition, activity_) {}

void SyncJobRun::cancel(Ending ending) {
    cancelled_ = true;
    calls_.cancel();
    for (PartnerSync& partner : partners_)
        partner.cancel(ending);
}

Awaitable<void> SyncJobRun::run() {
    const auto began = services_.clock.steady();
    if (visits_.devices.empty())
        services_.metrics.increment("partition.update.count." + job_.local_device.device);
    co_await look_around();
    for (std::size_t i = 0; i < partners_.size() && !cancelled_; ++i) {
        PartnerSync& partner = partners_[i];
        // The sessions before may have taken long, and others may have been here meanwhile.
        if (i > 0) co_await partner.look(false);
        if (!partner.delta()) continue;
        auto later = later_than(i);
        co_await partner.send(std::move(later));
    }
    if (services_.stash != nullptr) services_.stash->forget(&job_);
    co_await report_holes();
    visits_.spent += services_.clock.steady() - began;
    // One a job, as its count.
    if (put_off_.empty()) services_.metrics.timing("partition.update.timing", visits_.spent);
}

Awaitable<void> SyncJobRun::look_around() {
    const ReplicateCalls::Stay stay(calls_);
    std::set<std::uint32_t> visited;
    for (const scan::Partner& partner : job_.partners) {
        if (cancelled_) break;
        const auto& chosen = visits_.devices;
        if (!chosen.empty() && std::ranges::find(chosen, partner.node.id) == chosen.end()) continue;
        // With few primaries left, right and far can be the same node; once is enough.
        if (!visited.insert(partner.node.id).second) continue;
        PartnerSync& looked = partners_.emplace_back(services_, policy_, job_, partner, agreement_,
                                                     holes_, calls_, activity_);
        // Closely when it comes to a session, and what is put off not before its round.
        const bool is_now = partner.round <= visits_.round;
        co_await looked.look(false);
        if (looked.delta() && is_now) continue;
        if (looked.delta()) put_off_.push_back(partner.node.id);
        partners_.pop_back();
    }
}

std::vector<LaterTarget> SyncJobRun::later_than(std::size_t first) const {
    std::vector<LaterTarget> later;
    // What one fragment of such a code follows from need not determine another one.
    if (policy_.policy.ec_type.starts_with("flat_xor")) return later;
    std::set<int> indexes{partners_[first].delta()->backend_index};
    for (std::size_t i = first + 1; i < partners_.size(); ++i) {
        const auto& delta = partners_[i].delta();
        if (!delta || !indexes.insert(delta->backend_index).second) continue;
        later.push_back({delta->node.id, delta->backend_index, delta->suffixes});
        std::ranges::sort(later.back().suffixes);
    }
    return later;
}

Awaitable<void> SyncJobRun::report_holes() {
    for (const Holes::Distrust& distrust : holes_.asks()) {
        if (cancelled_) co_return;
        const auto answer = co_await calls_.ask(distrust.node, distrust.suffixes);
        // Whoever does not take it is asked again in the next pass that misses something there.
        services_.log.debug(
            transport::fragments::full_path(distrust.node, job_.partition, "",
                                            policy_.policy.index) +
            " lacks fragments in " + distrust.suffixes +
            (answer.has_error() ? ": " + to_string(answer.error()) : ", asked to hash again"));
    }
}

}  // namespace fragmend::sync
