// The partners of a job, one after the other.
#include "host/sync/sync_job.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <set>

#include "host/scan/suffix_delta.hpp"
#include "host/swift/handoff_walk.hpp"
#include "host/swift/partition_hashes.hpp"
#include "host/swift/replicate_answer.hpp"

namespace fragmend::sync {
namespace {

using transport::ssync::SessionResult;

constexpr int status_ok = 200;
constexpr int status_unmounted = 507;
/// Before a lock that somebody else held is asked for again.
constexpr std::chrono::milliseconds lock_pause{1000};

}  // namespace

AfterSession after_session(const SessionResult& result, int tries) {
    if (result.success) return AfterSession::done;
    if (tries >= session_tries_max || !result.error) return AfterSession::give_up;
    switch (result.error->code) {
        case errc::lock_timeout:
            return AfterSession::try_again_later;
        case errc::disconnected:
            return AfterSession::try_again;
        default:
            return AfterSession::give_up;
    }
}

SyncJobRun::SyncJobRun(Services& services, const PolicyContext& policy, const scan::SyncJob& job,
                       Visits visits)
    : services_(services),
      policy_(policy),
      job_(job),
      visits_(std::move(visits)),
      agreement_(job.hashes, job.fragment_index),
      pause_(services.network),
      activity_(services.activities,
                "SYNC of " + job.local_device.device + "/" + job.partition + " policy#" +
                    std::to_string(policy.policy.index),
                [this] { cancel(); }) {}

void SyncJobRun::cancel() {
    cancelled_ = true;
    if (sender_ != nullptr) sender_->stop();
    if (call_ != nullptr) call_->abort();
    pause_.cancel();
}

Awaitable<void> SyncJobRun::pause(std::chrono::milliseconds length) {
    activity_.queued("pauses before the next try");
    pause_.expires_after(length);
    boost::system::error_code ignored;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

std::string SyncJobRun::path_at(const Node& node) const {
    return transport::fragments::full_path(node, job_.partition, "", policy_.policy.index);
}

Awaitable<void> SyncJobRun::run() {
    const auto began = services_.clock.steady();
    if (visits_.devices.empty())
        services_.metrics.increment("partition.update.count." + job_.local_device.device);
    std::set<std::uint32_t> visited;
    for (const scan::Partner& partner : job_.partners) {
        if (cancelled_) break;
        const auto& chosen = visits_.devices;
        if (!chosen.empty() && std::ranges::find(chosen, partner.node.id) == chosen.end()) continue;
        // With few primaries left, right and far can be the same node; once is enough.
        if (visited.insert(partner.node.id).second) co_await sync_with(partner);
    }
    co_await report_holes();
    services_.metrics.timing("partition.update.timing", services_.clock.steady() - began);
}

Awaitable<void> SyncJobRun::sync_with(const scan::Partner& partner) {
    int broken = 0;
    for (int tries = 1; !cancelled_; ++tries) {
        auto delta = co_await find_delta(partner);
        if (!delta || delta->suffixes.empty() || cancelled_) co_return;
        if (partner.round > visits_.round) {
            put_off_.push_back(partner.node.id);
            co_return;
        }
        // The target first: whoever waits for a busy device takes no session from the others.
        auto& slots = services_.targets.of(delta->node.replication_name());
        Semaphore::Permit slot;
        if (!slots.try_acquire(1, slot)) {
            activity_.queued("waits for a session with " + delta->node.replication_name());
            auto waited = co_await slots.acquire(1);
            if (waited.has_error() || cancelled_) co_return;
            slot = std::move(waited.value());
            // Whoever had the device may have sent the same objects meanwhile.
            const auto node_id = delta->node.id;
            delta = co_await find_delta(partner);
            if (!delta || delta->suffixes.empty() || cancelled_) co_return;
            if (delta->node.id != node_id) continue;
        }
        services_.stats.suffixes_checked += delta->suffixes.size();
        const auto ended = co_await session(*delta);
        slot.release();
        services_.stats.suffixes_synced += delta->suffixes.size();
        services_.metrics.count("suffix.syncs", static_cast<std::int64_t>(delta->suffixes.size()));
        if (cancelled_) co_return;
        if (ended.counts.body_failed && ++broken <= broken_sessions_max) {
            --tries;
            continue;
        }
        const auto next = after_session(ended.result, tries);
        if (next == AfterSession::done || next == AfterSession::give_up) {
            account_failures(*delta, ended.counts);
        }
        if (next == AfterSession::done) co_return;
        if (next == AfterSession::give_up) {
            const auto& error = ended.result.error;
            services_.stats.session_failed(error ? error->code : errc::internal);
            co_return;
        }
        if (next == AfterSession::try_again_later) co_await pause(lock_pause * tries);
    }
}

Awaitable<std::optional<SyncJobRun::Delta>> SyncJobRun::find_delta(const scan::Partner& partner) {
    const int backend_index = policy_.policy.backend_index(partner.primary_index);
    // What is put off is looked at closely when its round comes.
    const bool looks_twice = partner.round <= visits_.round;
    bool unmounted = false;
    auto remote = co_await remote_hashes(partner.node, backend_index, unmounted);
    if (remote && remote->agrees) co_return std::nullopt;
    if (remote) {
        co_return co_await compare(partner.node, backend_index, std::move(remote->hashes),
                                   looks_twice);
    }
    if (!unmounted) co_return std::nullopt;

    const auto partition = static_cast<std::uint32_t>(parse_digits(job_.partition).value_or(0));
    const auto count_max = services_.options.rebuild_handoff_node_count;
    swift::HandoffWalk walk(policy_.ring, partition);
    std::int64_t count = 0;
    while (unmounted && !cancelled_) {
        const auto handoff = walk.next();
        if (!handoff) break;
        if (policy_.policy.backend_index(handoff->handoff_index) != backend_index) continue;
        if (count_max >= 0 && count >= count_max) break;
        ++count;
        unmounted = false;
        remote = co_await remote_hashes(handoff->node, backend_index, unmounted);
        if (remote && remote->agrees) co_return std::nullopt;
        if (remote) {
            co_return co_await compare(handoff->node, backend_index, std::move(remote->hashes),
                                       looks_twice);
        }
    }
    // Nobody takes what that device has lost.
    if (unmounted && !cancelled_) services_.stats.session_failed(errc::not_mounted);
    co_return std::nullopt;
}

Awaitable<Result<transport::replicate::ReplicateAnswer>> SyncJobRun::replicate(
    const Node& node, std::string suffixes) {
    Semaphore::Permit permit;
    if (!services_.replicate_calls.try_acquire(1, permit)) {
        activity_.queued("waits to ask for suffix hashes");
        auto waited = co_await services_.replicate_calls.acquire(1);
        if (waited.has_error()) co_return waited.error();
        if (cancelled_) co_return Error{errc::cancelled, "stopped"};
        permit = std::move(waited.value());
    }
    activity_.doing("asks " + node.replication_name() + " for suffix hashes");
    transport::replicate::ReplicateRequest request{node, job_.partition, std::move(suffixes),
                                                   policy_.policy.index,
                                                   services_.gather_limits.timeouts};
    transport::http::Abort abort;
    call_ = &abort;
    auto answer = co_await transport::replicate::get_suffix_hashes(services_.client,
                                                                   std::move(request), abort);
    call_ = nullptr;
    co_return answer;
}

Awaitable<std::optional<SyncJobRun::Remote>> SyncJobRun::remote_hashes(const Node& node,
                                                                       int backend_index,
                                                                       bool& unmounted) {
    const auto answer = co_await replicate(node, "");
    if (cancelled_ || (answer.has_error() && answer.error() == errc::cancelled))
        co_return std::nullopt;
    if (answer.has_error()) {
        services_.log.error("Unable to get remote suffix hashes from '" + path_at(node) +
                            "': " + answer.error().detail);
        services_.stats.session_failed(answer.error().code);
        co_return std::nullopt;
    }
    if (answer->status == status_unmounted) {
        services_.log.error(path_at(node) + " responded as unmounted");
        unmounted = true;
        co_return std::nullopt;
    }
    if (answer->status != status_ok) {
        services_.log.error("Invalid response " + std::to_string(answer->status) + " from " +
                            path_at(node));
        services_.stats.session_failed(errc::bad_status);
        co_return std::nullopt;
    }
    Remote remote;
    remote.agrees = agreement_.holds(answer->body, backend_index);
    if (remote.agrees) co_return remote;
    auto hashes = swift::parse_replicate_answer(answer->body);
    if (hashes.has_error()) {
        services_.log.error("Unable to get remote suffix hashes from '" + path_at(node) +
                            "': " + hashes.error().detail);
        services_.stats.session_failed(hashes.error().code);
        co_return std::nullopt;
    }
    remote.hashes = std::move(hashes.value());
    co_return remote;
}

Awaitable<std::optional<SyncJobRun::Delta>> SyncJobRun::compare(Node node, int backend_index,
                                                                swift::PartitionHashes remote,
                                                                bool looks_twice) {
    Delta delta{std::move(node), backend_index, {}};
    delta.suffixes = scan::suffix_delta(job_.hashes, job_.fragment_index, remote, backend_index);
    if (delta.suffixes.empty() || !looks_twice) co_return delta;
    // Also what the partner has nothing of: whatever left our own disk unseen comes to light here.
    swift::HashRequest request{delta.suffixes, false};
    activity_.doing("hashes local suffixes");
    auto rehash = [disk = policy_.disk, device = job_.local_device.device,
                   partition = job_.partition,
                   request] { return swift::get_hashes(disk, device, partition, request); };
    auto local = co_await offload(services_.disk, std::move(rehash));
    if (local.has_error()) {
        services_.log.error("Unable to hash partition " + job_.partition + " on " +
                            job_.local_device.device + ": " + to_string(local.error()));
        services_.stats.partition_failed(local.error().code);
        co_return std::nullopt;
    }
    services_.stats.suffixes_hashed += local->hashed;
    services_.metrics.count("suffix.hashes", static_cast<std::int64_t>(local->hashed));
    delta.suffixes = scan::suffix_delta(local->hashes, job_.fragment_index, remote, backend_index);
    co_return delta;
}

Awaitable<SyncJobRun::Ended> SyncJobRun::session(const Delta& delta) {
    Ended ended;
    ended.result.error = Error{errc::cancelled, "stopped"};
    activity_.queued("waits for its turn among the sessions");
    auto permit = co_await services_.sessions.acquire(1);
    if (permit.has_error() || cancelled_) co_return ended;
    activity_.doing("in a session with " + delta.node.replication_name());

    SessionObjects objects(services_, policy_,
                           {job_.partition, job_.local_device, job_.fragment_index, delta.node,
                            delta.backend_index, delta.suffixes},
                           activity_, holes_);
    transport::ssync::Sender sender(services_.network,
                                    {delta.node, job_.partition, policy_.policy.index,
                                     delta.backend_index, false, services_.gather_limits.timeouts},
                                    objects, services_.log);
    sender_ = &sender;
    ended.result = co_await sender.run();
    sender_ = nullptr;
    co_await objects.stop();
    ended.counts = objects.counts();
    account(delta, ended);
    co_return ended;
}

Awaitable<void> SyncJobRun::report_holes() {
    for (const Holes::Distrust& distrust : holes_.asks()) {
        if (cancelled_) co_return;
        const auto answer = co_await replicate(distrust.node, distrust.suffixes);
        // Whoever does not take it is asked again in the next pass that misses something there.
        services_.log.debug(
            path_at(distrust.node) + " lacks fragments in " + distrust.suffixes +
            (answer.has_error() ? ": " + to_string(answer.error()) : ", asked to hash again"));
    }
}

void SyncJobRun::account_failures(const Delta& delta, const SessionCounts& counts) {
    services_.stats.targets[delta.node.replication_name()].objects_failed += counts.objects_failed;
    for (const auto& [code, count] : counts.failures)
        services_.stats.object_failed(code, count);
}

void SyncJobRun::account(const Delta& delta, const Ended& ended) {
    const auto& [result, counts] = ended;
    auto& stats = services_.stats;
    auto& target = stats.targets[delta.node.replication_name()];
    ++target.sessions;
    target.offered += result.offered;
    if (!result.success) {
        ++target.sessions_failed;
        return;
    }
    target.fragments_rebuilt += counts.fragments;
    target.bytes_rebuilt += counts.bytes;
    target.metas_sent += counts.metas;
    target.tombstones_sent += counts.tombstones;
    stats.fragments_rebuilt += counts.fragments;
    stats.bytes_rebuilt += counts.bytes;
}

}  // namespace fragmend::sync
