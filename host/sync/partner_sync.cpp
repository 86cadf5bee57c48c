// Looking, sending, trying again.
#include "host/sync/partner_sync.hpp"

#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "host/scan/suffix_delta.hpp"
#include "host/swift/handoff_walk.hpp"
#include "host/swift/partition_hashes.hpp"
#include "host/swift/replicate_answer.hpp"
#include "host/sync/peer_watch.hpp"
#include "host/sync/session_places.hpp"

namespace fragmend::sync {
namespace {

using transport::ssync::SessionResult;

constexpr int replicate_ok = 200;
constexpr int status_unmounted = 507;
/// Before a lock that somebody else held is asked for again.
constexpr std::chrono::milliseconds lock_pause{1000};
/// No further damaged survivor of a session is checked after so long: the job has other partners.
constexpr std::chrono::seconds checks_max{60};

/// What a second look at our own disk showed.
struct Rehashed {
    std::vector<swift::SuffixName> differing;
    std::size_t hashed = 0;  ///< Suffixes.
};

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

std::string name_of(const scan::SyncJob& job, const PolicyContext& policy) {
    return "SYNC of " + job.local_device.device + "/" + job.partition + " policy#" +
           std::to_string(policy.policy.index);
}

PartnerSync::PartnerSync(Services& services, const PolicyContext& policy, const scan::SyncJob& job,
                         const scan::Partner& partner, const scan::Agreement& agreement,
                         Holes& holes, ReplicateCalls& calls, Activity& activity)
    : services_(services),
      policy_(policy),
      job_(job),
      partner_(partner),
      agreement_(agreement),
      holes_(holes),
      calls_(calls),
      activity_(activity) {}

void PartnerSync::cancel(Ending ending) {
    cancelled_ = true;
    line_.now();
    if (sender_ != nullptr && ending == Ending::now) sender_->stop();
    if (pause_ != nullptr) pause_->cancel();
    if (look_ != nullptr) look_->abort();
    if (services_.throttle != nullptr) services_.throttle->wake();
}

Awaitable<void> PartnerSync::pause(std::chrono::milliseconds length) {
    activity_.queued("pauses before the next try");
    asio::steady_timer timer(services_.network, length);
    pause_ = &timer;
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    pause_ = nullptr;
}

std::string PartnerSync::path_at(const Node& node) const {
    return transport::fragments::full_path(node, job_.partition, "", policy_.policy.index);
}

Awaitable<void> PartnerSync::look(bool closely) {
    delta_.reset();
    is_close_ = closely;
    auto found = co_await find_delta(closely);
    if (found) {
        std::erase_if(found->suffixes,
                      [this](swift::SuffixName suffix) { return dealt_with_.contains(suffix); });
    }
    if (found && !found->suffixes.empty() && !cancelled_) delta_ = std::move(found);
}

Awaitable<void> PartnerSync::send(std::vector<LaterTarget> later) {
    while (delta_ && !cancelled_) {
        const bool paused = services_.gate.is_closed();
        co_await services_.gate.pass(cancelled_, activity_);
        // The target first: whoever waits for a busy device takes no session from the others.
        auto& slots = services_.targets.of(delta_->node.replication_name());
        Semaphore::Permit slot;
        const bool queued = !slots.try_acquire(1, slot);
        if (queued) {
            activity_.queued("waits for a session with " + delta_->node.replication_name());
            auto granted = co_await slots.acquire(1, line_);
            if (granted.has_error() || cancelled_) co_return;
            slot = std::move(granted.value());
        }
        // Whoever had the device may have sent the same objects meanwhile. And our own disk is
        // hashed anew only now: of the partners that miss the same, most find it delivered by
        // others.
        if (paused || queued || !is_close_) {
            const auto node_id = delta_->node.id;
            co_await look(true);
            if (!delta_) co_return;
            if (delta_->node.id != node_id) continue;
        }
        activity_.queued("waits for its turn among the sessions");
        auto places = co_await take_session_places(services_, delta_->node.replication_ip,
                                                   job_.local_device.device, line_);
        if (places.has_error() || cancelled_) co_return;
        if (services_.gate.is_closed()) continue;
        auto ended = co_await session(later);
        places.value() = SessionPlaces();
        slot.release();
        co_await go_on_after(std::move(ended));
    }
}

Awaitable<Result<void>> PartnerSync::may_check(Pacer& pacer, scheduler::Endpoint from,
                                               std::size_t bytes) {
    const auto rested = co_await pacer.rest(cancelled_);
    scheduler::Throttle* throttle = services_.throttle;
    if (rested.has_error() || throttle == nullptr || !throttle->limits_reading()) co_return rested;
    co_return co_await throttle->read(std::move(from), bytes, cancelled_);
}

Awaitable<void> PartnerSync::have_checked(
    std::vector<transport::fragments::DamagedArchive> damaged) {
    const auto end = services_.clock.steady() + checks_max;
    for (auto& archive : damaged) {
        if (cancelled_ || services_.clock.steady() >= end) co_return;
        activity_.doing("has a damaged survivor checked at " + archive.node.replication_name());
        transport::http::Abort abort;
        look_ = &abort;
        Pacer pacer(services_, activity_);
        transport::fragments::MayRead may_read =
            [this, &pacer, from = endpoint_of(archive.node)](std::size_t bytes) {
                return may_check(pacer, from, bytes);
            };
        co_await transport::fragments::second_look(services_.client, std::move(archive),
                                                   services_.gather_limits.timeouts,
                                                   std::move(may_read), abort);
        look_ = nullptr;
    }
}

Awaitable<void> PartnerSync::go_on_after(Ended ended) {
    co_await have_checked(std::move(ended.damaged));
    if (cancelled_) co_return delta_.reset();
    if (ended.counts.body_failed && ++broken_ <= broken_sessions_max) co_return co_await look(true);
    if (!ended.left.empty()) {
        account_failures(ended);
        const auto left = static_cast<std::ptrdiff_t>(ended.left.size());
        dealt_with_.insert(delta_->suffixes.begin(), delta_->suffixes.end() - left);
        delta_->suffixes = std::move(ended.left);
        co_return;
    }
    const auto next = after_session(ended.result, ++tries_);
    if (next == AfterSession::done || next == AfterSession::give_up) {
        account_failures(ended);
        co_return delta_.reset();
    }
    if (next == AfterSession::try_again_later) co_await pause(lock_pause * tries_);
    if (cancelled_) co_return delta_.reset();
    co_await look(true);
}

Awaitable<std::optional<Delta>> PartnerSync::find_delta(bool closely) {
    const int backend_index = policy_.policy.backend_index(partner_.primary_index);
    bool unmounted = false;
    auto remote = co_await remote_hashes(partner_.node, backend_index, unmounted);
    if (remote && remote->agrees) {
        note_risk(false);
        co_return std::nullopt;
    }
    if (remote) {
        auto delta =
            co_await compare(partner_.node, backend_index, std::move(remote->hashes), closely);
        if (delta) note_risk(2 * delta->suffixes.size() > job_.suffixes.size());
        co_return delta;
    }
    if (!cancelled_) note_risk(true);
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
                                       closely);
        }
    }
    // Nobody takes what that device has lost.
    if (unmounted && !cancelled_) services_.stats.session_failed(errc::not_mounted);
    co_return std::nullopt;
}

void PartnerSync::note_risk(bool is_lost) {
    if (services_.risks != nullptr)
        services_.risks->compared(policy_.policy.index, partner_.node.id, is_lost);
}

Awaitable<std::optional<PartnerSync::Remote>> PartnerSync::remote_hashes(const Node& node,
                                                                         int backend_index,
                                                                         bool& unmounted) {
    const auto answer = co_await calls_.ask(node, "");
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
    if (answer->status != replicate_ok) {
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
    remote.hashes = scan::HashPairs(*hashes, backend_index);
    co_return remote;
}

Awaitable<std::optional<Delta>> PartnerSync::compare(Node node, int backend_index,
                                                     scan::HashPairs remote, bool closely) {
    Delta delta{std::move(node), backend_index, {}};
    delta.suffixes = scan::suffix_delta(job_.hashes, remote);
    if (delta.suffixes.empty() || !closely) co_return delta;
    // Also what the partner has nothing of: whatever left our own disk unseen comes to light here.
    calls_.leave();
    activity_.doing("hashes local suffixes");
    auto rehash = [disk = policy_.disk, device = job_.local_device.device,
                   partition = job_.partition, index = job_.fragment_index,
                   suspected = std::move(delta.suffixes),
                   remote = std::move(remote)]() -> Result<Rehashed> {
        const swift::HashRequest request{.recalculate = {suspected.begin(), suspected.end()},
                                         .list_directory = false,
                                         .is_second_look = true};
        const auto hashed = swift::get_hashes(disk, device, partition, request);
        if (hashed.has_error()) return hashed.error();
        return Rehashed{scan::suffix_delta({hashed->hashes, index}, remote), hashed->hashed};
    };
    auto local = co_await on_disk(services_, std::move(rehash));
    if (local.has_error()) {
        services_.log.error("Unable to hash partition " + job_.partition + " on " +
                            job_.local_device.device + ": " + to_string(local.error()));
        services_.stats.partition_failed(local.error().code);
        co_return std::nullopt;
    }
    services_.stats.suffixes_hashed += local->hashed;
    services_.metrics.count("suffix.hashes", static_cast<std::int64_t>(local->hashed));
    delta.suffixes = std::move(local->differing);
    co_return delta;
}

Awaitable<PartnerSync::Ended> PartnerSync::session(const std::vector<LaterTarget>& later) {
    const Delta& delta = *delta_;
    activity_.doing("in a session with " + delta.node.replication_name());
    SessionObjects objects(services_, policy_,
                           {job_.partition, job_.local_device, job_.fragment_index, delta.node,
                            delta.backend_index, delta.suffixes, &job_, later},
                           activity_, holes_);
    PeerWatch watch(services_.throttle, session_kind);
    transport::ssync::Sender sender(
        services_.network,
        {delta.node, job_.partition, policy_.policy.index, delta.backend_index, false,
         services_.gather_limits.timeouts, &watch},
        objects, services_.log);
    sender_ = &sender;
    Ended ended;
    ended.result = co_await sender.run();
    sender_ = nullptr;
    co_await objects.stop();
    ended.counts = objects.counts();
    ended.damaged = objects.take_damaged();
    // One refused object fails a whole session, long after the receiver has taken the others: that
    // costs what was offered, which is the next pass's, and nothing that was not.
    if (ended.result.judged) ended.left = objects.unoffered();
    account(ended);
    co_return ended;
}

void PartnerSync::account_failures(const Ended& ended) {
    auto& target = services_.stats.targets[delta_->node.replication_name()];
    target.objects_failed += ended.counts.objects_failed;
    for (const auto& [code, count] : ended.counts.failures)
        services_.stats.object_failed(code, count);
    if (ended.result.success) return;
    const auto& error = ended.result.error;
    services_.stats.session_failed(error ? error->code : errc::internal);
}

void PartnerSync::account(const Ended& ended) {
    const auto& result = ended.result;
    const auto& counts = ended.counts;
    auto& stats = services_.stats;
    const std::size_t suffixes = delta_->suffixes.size() - ended.left.size();
    stats.suffixes_checked += suffixes;
    stats.suffixes_synced += suffixes;
    services_.metrics.count("suffix.syncs", static_cast<std::int64_t>(suffixes));
    auto& target = stats.targets[delta_->node.replication_name()];
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
