// Sessions and purge of a revert.
#include "host/sync/revert_job.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "host/swift/purge.hpp"
#include "host/sync/peer_watch.hpp"
#include "host/sync/session_places.hpp"
#include "host/sync/sync_job.hpp"

namespace fragmend::sync {
namespace {

/// Swift's patience for the lock: whoever holds it is most probably receiving, and takes long.
constexpr double lock_timeout_s = 0.2;
/// Two nodes that revert to each other lock each other out; their next tries should not meet.
constexpr int pause_ms_min = 200;
constexpr int pause_ms_max = 1500;
/// Sessions of a job that may end because somebody gave up what they were sending; beyond that it
/// is the next pass's.
constexpr int broken_off_max = 16;
/// Objects removed between two looks at whether the job was cancelled.
constexpr std::size_t purge_batch = 256;

struct PurgeTally {
    std::uint64_t purged = 0;
    std::map<errc, std::uint64_t> failed;
};

/// Blocking. What is gone already is no failure: it may have passed its reclaim age.
PurgeTally purge_batch_of(const swift::DiskContext& disk, const std::string& device,
                          const std::string& partition,
                          const std::vector<swift::PurgeRequest>& requests) {
    PurgeTally tally;
    for (const auto& request : requests) {
        const auto purged = swift::purge_object(disk, device, partition, request);
        if (purged.has_value()) {
            if (*purged) ++tally.purged;
            continue;
        }
        if (purged.error() == errc::not_found) continue;
        const std::string index =
            request.frag_index ? std::to_string(*request.frag_index) : std::string("None");
        disk.logger.error("Unable to purge DiskFile ('" + request.object_hash + "' " +
                          request.data.internal() + " " + index +
                          "): " + to_string(purged.error()));
        ++tally.failed[purged.error().code];
    }
    return tally;
}

}  // namespace

void keep_common(Delivered& all, const Delivered& one) {
    std::erase_if(all, [&](const auto& entry) {
        const auto found = one.find(entry.first);
        return found == one.end() || !(found->second == entry.second);
    });
}

RevertJobRun::RevertJobRun(Services& services, const PolicyContext& policy,
                           const scan::RevertJob& job)
    : services_(services),
      policy_(policy),
      job_(job),
      pause_(services.network),
      activity_(services.activities,
                "REVERT of " + job.local_device.device + "/" + job.partition + " " +
                    (job.fragment_index ? "frag#" + std::to_string(*job.fragment_index)
                                        : std::string("tombstones")) +
                    " policy#" + std::to_string(policy.policy.index),
                [this] { cancel(Ending::now); }) {}

void RevertJobRun::cancel(Ending ending) {
    is_last_ = true;
    line_.now();
    if (ending == Ending::now) cancelled_ = true;
    if (sender_ != nullptr && ending == Ending::now) sender_->stop();
    pause_.cancel();
}

Awaitable<void> RevertJobRun::pause(int tries) {
    std::mt19937_64 random{std::random_device{}()};
    std::uniform_int_distribution<int> length(pause_ms_min, pause_ms_max);
    activity_.queued("pauses before the next try");
    pause_.expires_after(std::chrono::milliseconds(length(random) * tries));
    boost::system::error_code ignored;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Awaitable<void> RevertJobRun::run() {
    const auto began = services_.clock.steady();
    services_.metrics.increment("partition.delete.count." + job_.local_device.device);
    int broken_off = 0;
    for (int tries = 1;; ++tries) {
        co_await services_.gate.pass(is_last_, activity_);
        const Ended ended = co_await run_once();
        if (ended == Ended::paused ||
            (std::exchange(broke_off_, false) && ++broken_off <= broken_off_max && !is_last_)) {
            --tries;
            continue;
        }
        if (ended == Ended::try_again && tries < session_tries_max && !is_last_) {
            co_await pause(tries);
            if (!is_last_) continue;
        }
        account_failures();
        if (ended != Ended::done) ++services_.stats.handoffs_remaining;
        services_.metrics.timing("partition.delete.timing", services_.clock.steady() - began);
        co_return;
    }
}

Awaitable<Result<swift::PathLock>> RevertJobRun::lock() {
    const swift::PartitionPath place(policy_.disk, job_.local_device.device, job_.partition);
    swift::LockRequest request{.directory = place.path,
                               .name = "replication",
                               .timeout_s = lock_timeout_s,
                               .make_directory = false};
    auto take = [request = std::move(request)] { return swift::PathLock::acquire(request); };
    co_return co_await on_disk(services_, std::move(take));
}

Awaitable<RevertJobRun::Ended> RevertJobRun::run_once() {
    // In a row for the target first: whoever waits there shall not keep the partition locked.
    auto& slots = services_.targets.of(job_.targets.front().node.replication_name());
    activity_.queued("waits for a session with " + job_.targets.front().node.replication_name());
    auto slot = co_await slots.acquire(1, line_);
    if (slot.has_error() || is_last_) co_return Ended::remains;
    if (services_.gate.is_closed()) co_return Ended::paused;
    activity_.doing("locks the partition");
    auto locked = co_await lock();
    if (locked.has_error()) {
        // The partition was removed since it was listed.
        if (locked.error() == errc::not_found) co_return Ended::done;
        if (locked.error() == errc::lock_timeout) {
            services_.log.info("Unable to lock handoff partition " + job_.partition +
                               " for revert on device " + job_.local_device.device + " policy " +
                               std::to_string(policy_.policy.index));
            ++services_.stats.reverts_locked;
            services_.metrics.increment("partition.lock-failure.count");
        } else {
            services_.log.error("Unable to lock handoff partition " + job_.partition +
                                " for revert on device " + job_.local_device.device + ": " +
                                to_string(locked.error()));
            services_.stats.partition_failed(locked.error().code);
        }
        co_return Ended::remains;
    }
    const Ended ended = co_await run_locked(std::move(slot.value()));
    locked.value().release();
    co_return ended;
}

Awaitable<RevertJobRun::Ended> RevertJobRun::run_locked(Semaphore::Permit slot) {
    remains_ = target_busy_ = limited_ = paused_ = false;
    failed_sessions_.clear();
    failed_objects_.clear();
    takers_.clear();
    for (const scan::Partner& target : job_.targets)
        takers_.push_back(&target);
    Slice slice;
    slice.slot = std::move(slot);
    slice.offered_before = taken_;
    std::size_t first = 0;
    bool goes_on = false;
    do {
        slice.suffixes.assign(job_.suffixes.begin() + static_cast<std::ptrdiff_t>(first),
                              job_.suffixes.end());
        co_await run_slice(slice);
        first += slice.suffixes.size();
        slice.offered_before += slice.offered;
        goes_on = first < job_.suffixes.size() && !takers_.empty() && !limited_ && !is_last_;
    } while (goes_on && !services_.gate.is_closed());
    if (goes_on || paused_) co_return Ended::paused;
    const bool all_took = takers_.size() == job_.targets.size();
    if (all_took && first == job_.suffixes.size() && !remains_) co_return Ended::done;
    co_return target_busy_ ? Ended::try_again : Ended::remains;
}

/// One slot at a time: two jobs that held one each and wanted the other's would wait for ever. A
/// lone target's is kept to the end of the job: the partition is locked meanwhile.
Awaitable<Result<void>> RevertJobRun::take_slot(Slice& slice, const scan::Partner& target) {
    if (slice.slot.units() > 0) co_return Result<void>();
    activity_.queued("waits for a session with " + target.node.replication_name());
    auto waited = co_await services_.targets.of(target.node.replication_name()).acquire(1, line_);
    if (waited.has_error()) co_return waited.error();
    slice.slot = std::move(waited.value());
    co_return Result<void>();
}

Awaitable<void> RevertJobRun::run_slice(Slice& slice) {
    std::optional<Delivered> delivered;
    slice.offers_max = services_.offers_max;
    slice.offered = 0;
    const auto targets = takers_;
    for (const scan::Partner* target : targets) {
        const auto turn = co_await take_slot(slice, *target);
        if (turn.has_error() || is_last_) {
            takers_.clear();
            co_return;
        }
        auto one = co_await deliver(*target, slice);
        if (job_.targets.size() > 1) slice.slot.release();
        if (paused_) {
            takers_.clear();
            co_return;
        }
        if (!one) {
            std::erase(takers_, target);
            continue;
        }
        slice.offers_max = std::numeric_limits<std::size_t>::max();
        if (delivered)
            keep_common(*delivered, *one);
        else
            delivered = std::move(one);
    }
    if (!delivered || takers_.size() != job_.targets.size()) co_return;
    taken_ += slice.offered;
    co_await purge(*delivered);
}

Awaitable<std::optional<Delivered>> RevertJobRun::deliver(const scan::Partner& target,
                                                          Slice& slice) {
    activity_.queued("waits for its turn among the sessions");
    const auto places = co_await take_session_places(services_, target.node.replication_ip,
                                                     job_.local_device.device, line_);
    if (places.has_error() || is_last_) co_return std::nullopt;
    paused_ = services_.gate.is_closed();
    if (paused_) co_return std::nullopt;
    activity_.doing("in a session with " + target.node.replication_name());
    RevertObjects objects(services_, policy_,
                          {.partition = job_.partition,
                           .local_device = job_.local_device,
                           .fragment_index = job_.fragment_index,
                           .target = target.node,
                           .suffixes = slice.suffixes,
                           .objects_max = services_.options.max_objects_per_revert,
                           .offered_before = slice.offered_before,
                           .offers_max = slice.offers_max},
                          activity_);
    PeerWatch watch(services_.throttle, session_kind);
    transport::ssync::Sender sender(services_.network,
                                    {target.node, job_.partition, policy_.policy.index,
                                     policy_.policy.backend_index(target.primary_index), true,
                                     services_.gather_limits.timeouts, &watch},
                                    objects, services_.log);
    activity_.doing("in a session with " + target.node.replication_name());
    sender_ = &sender;
    const auto result = co_await sender.run();
    sender_ = nullptr;
    co_await objects.finish();
    account(target.node, result, objects);
    broke_off_ = broke_off_ || (!result.success && objects.broke_off());
    if (!result.success) co_return std::nullopt;
    slice.suffixes.erase(
        slice.suffixes.begin() + static_cast<std::ptrdiff_t>(objects.suffixes_listed()),
        slice.suffixes.end());
    slice.offered = result.offered;
    auto delivered = objects.take_delivered();
    // What was quarantined on the way may have left an empty folder.
    for (const auto& hash : objects.left_out())
        touched_suffixes_.insert(hash.substr(hash.size() - 3));
    services_.log.debug("ssync completed ok: dev: " + job_.local_device.device + ", part: " +
                        job_.partition + ", policy: " + std::to_string(policy_.policy.index) +
                        ", num suffixes: " + std::to_string(slice.suffixes.size()) +
                        ", available: " + std::to_string(result.offered) +
                        ", sent: " + std::to_string(result.wanted) +
                        ", deletable: " + std::to_string(delivered.size()));
    co_return delivered;
}

void RevertJobRun::account(const Node& node, const transport::ssync::SessionResult& result,
                           const RevertObjects& objects) {
    auto& stats = services_.stats;
    auto& target = stats.targets[node.replication_name()];
    const auto& counts = objects.counts();
    ++target.sessions;
    target.offered += result.offered;
    for (const auto& [code, count] : counts.failures)
        failed_objects_[code] += count;
    limited_ = limited_ || objects.limited();
    remains_ = remains_ || limited_ || objects.incomplete();
    if (!result.success) {
        ++target.sessions_failed;
        if (result.error && *result.error == errc::lock_timeout) target_busy_ = true;
        failed_sessions_.push_back(result.error ? result.error->code : errc::internal);
        return;
    }
    target.fragments_reverted += counts.fragments;
    target.bytes_reverted += counts.bytes;
    target.metas_sent += counts.metas;
    target.tombstones_sent += counts.tombstones;
    stats.fragments_reverted += counts.fragments;
    stats.bytes_reverted += counts.bytes;
}

void RevertJobRun::account_failures() {
    for (const errc code : failed_sessions_)
        services_.stats.session_failed(code);
    for (const auto& [code, count] : failed_objects_)
        services_.stats.object_failed(code, count);
}

Awaitable<void> RevertJobRun::purge(const Delivered& delivered) {
    activity_.doing("removes what was delivered");
    auto next = delivered.begin();
    while (next != delivered.end() && !cancelled_) {
        std::vector<swift::PurgeRequest> requests;
        for (; next != delivered.end() && requests.size() < purge_batch; ++next) {
            const auto& [hash, offer] = *next;
            touched_suffixes_.insert(hash.substr(hash.size() - 3));
            requests.push_back({.object_hash = hash,
                                .data = offer.data,
                                .meta = offer.meta,
                                .durable = offer.durable.value_or(false),
                                .frag_index = job_.fragment_index,
                                .pure_handoff = !job_.primary_fragment_index});
        }
        auto work = [disk = policy_.disk, device = job_.local_device.device,
                     partition = job_.partition, requests = std::move(requests)] {
            return purge_batch_of(disk, device, partition, requests);
        };
        const auto tally = co_await on_disk(services_, std::move(work));
        services_.stats.objects_purged += tally.purged;
        activity_.moved();
        for (const auto& [code, count] : tally.failed) {
            failed_objects_[code] += count;
            remains_ = true;
        }
    }
    auto tidy = [disk = policy_.disk, device = job_.local_device.device, partition = job_.partition,
                 suffixes = std::exchange(touched_suffixes_, {})] {
        std::size_t gone = 0;
        for (const auto& suffix : suffixes)
            gone += swift::remove_empty_suffix(disk, device, partition, suffix) ? 1 : 0;
        return gone;
    };
    co_await on_disk(services_, std::move(tidy));
}

}  // namespace fragmend::sync
