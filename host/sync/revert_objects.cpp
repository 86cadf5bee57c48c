// Offers and sub-requests of a revert.
#include "host/sync/revert_objects.hpp"

#include <algorithm>
#include <utility>

#include "host/base/bytes.hpp"
#include "host/sync/braked_quarantine.hpp"
#include "host/sync/sub_requests.hpp"

namespace fragmend::sync {
namespace {

using transport::ssync::Offer;
using transport::ssync::SubRequest;
using transport::ssync::Wanted;

Offer to_offer(const swift::LocalOffer& local) {
    return {local.object_hash, local.data, local.meta, local.content_type, local.durable};
}

}  // namespace

RevertObjects::RevertObjects(Services& services, const PolicyContext& policy, RevertPlan plan,
                             Activity& activity)
    : services_(services),
      policy_(policy),
      plan_(std::move(plan)),
      activity_(activity),
      pacer_(services, activity),
      on_given_up_(services.suspects,
                   [this](const std::string& object_hash) { object_given_up(object_hash); }) {}

Awaitable<Result<void>> RevertObjects::begin(bool accepts_non_durable) {
    with_non_durable_ = accepts_non_durable;
    co_return Result<void>();
}

/// An empty list stands for the newest data of any kind, none for durable data only. Offers and
/// their opening have to use the same.
std::optional<std::vector<swift::FragmentPreference>> RevertObjects::preferences() const {
    if (!with_non_durable_) return std::nullopt;
    return std::vector<swift::FragmentPreference>();
}

Awaitable<Result<void>> RevertObjects::list_next_suffix() {
    const swift::OfferOptions options{.frag_index = plan_.fragment_index,
                                      .frag_prefs = preferences()};
    auto list = [disk = policy_.disk, device = plan_.local_device.device,
                 partition = plan_.partition, suffix = std::string(plan_.suffixes[next_suffix_]),
                 options] { return swift::list_offers(disk, device, partition, suffix, options); };
    auto found = co_await on_disk(services_, std::move(list));
    activity_.moved();
    ++next_suffix_;
    if (found.has_error()) {
        if (found.error() == errc::not_mounted) co_return found.error();
        // It was logged; the other suffixes are none the worse for it.
        services_.stats.partition_failed(found.error().code);
        incomplete_ = true;
        co_return Result<void>();
    }
    for (auto& offer : *found) {
        // Without an index nobody can say whose a fragment is that came since the job was made.
        if (!plan_.fragment_index && offer.durable) continue;
        offers_.push_back(std::move(offer));
    }
    co_return Result<void>();
}

Awaitable<Result<std::optional<Offer>>> RevertObjects::next_offer() {
    activity_.moved();
    while (offers_.empty()) {
        if (cancelled_) co_return Error{errc::cancelled, "session ended"};
        if (next_suffix_ == plan_.suffixes.size() || offered_.size() >= plan_.offers_max)
            co_return std::nullopt;
        auto listed = co_await list_next_suffix();
        if (listed.has_error()) co_return listed.error();
    }
    const std::size_t offered = plan_.offered_before + offered_.size();
    if (plan_.objects_max > 0 && offered >= static_cast<std::size_t>(plan_.objects_max)) {
        limited_ = true;
        services_.log.info("ssync missing_check truncated after " + std::to_string(offered) +
                           " objects: device: " + plan_.local_device.device + ", part: " +
                           plan_.partition + ", policy: " + std::to_string(policy_.policy.index) +
                           ", next object hash: " + offers_.front().object_hash);
        offers_.clear();
        next_suffix_ = plan_.suffixes.size();
        co_return std::nullopt;
    }
    std::optional<Offer> offer(to_offer(offers_.front()));
    offered_.insert_or_assign(offer->object_hash, std::move(offers_.front()));
    offers_.pop_front();
    co_return offer;
}

Awaitable<Result<void>> RevertObjects::wanted(std::vector<Wanted> objects) {
    // What was never offered is nobody's to ask for.
    std::erase_if(
        objects, [this](const Wanted& want) { return !offered_.contains(want.object_hash.hex()); });
    wanted_.assign(std::make_move_iterator(objects.begin()),
                   std::make_move_iterator(objects.end()));
    co_return Result<void>();
}

Awaitable<Result<swift::OpenObject>> RevertObjects::open(std::string object_hash) {
    const scheduler::WaitTimer starving(services_.clock, services_.rebuild_stats.wait_of_session);
    const scheduler::WaitTimer timer(services_.clock, services_.rebuild_stats.wait_for_open);
    const swift::OpenOptions options{
        .frag_index = plan_.fragment_index, .frag_prefs = preferences(), .open_expired = true};
    auto open = [disk = policy_.disk, device = plan_.local_device.device,
                 partition = plan_.partition, hash = std::move(object_hash),
                 options] { return swift::open_object(disk, device, partition, hash, options); };
    co_return co_await on_disk(services_, std::move(open));
}

Awaitable<Result<std::vector<SubRequest>>> RevertObjects::next_sub_requests() {
    activity_.moved();
    co_await finish();
    auto rested = co_await pacer_.rest(cancelled_);
    if (rested.has_error()) co_return rested.error();
    while (!wanted_.empty()) {
        if (cancelled_) co_return Error{errc::cancelled, "session ended"};
        const Wanted want = std::move(wanted_.front());
        wanted_.pop_front();
        if (services_.suspects.is_given_up(want.object_hash.hex())) {
            leave_out(want.object_hash.hex(), somebody_cancelled());
            incomplete_ = true;
            continue;
        }
        auto opened = co_await open(want.object_hash.hex());
        activity_.moved();
        if (opened.has_error()) {
            leave_out(want.object_hash.hex(), opened.error());
            continue;
        }
        auto requests = co_await requests_of(want, std::move(opened.value()));
        if (requests.has_error()) {
            const bool given_up = services_.suspects.is_given_up(want.object_hash.hex());
            if (requests.error() == errc::cancelled && !given_up) co_return requests.error();
            incomplete_ = incomplete_ || given_up;
            leave_out(want.object_hash.hex(), requests.error());
            continue;
        }
        if (!requests->empty()) co_return requests;
    }
    co_return std::vector<SubRequest>();
}

/// Whatever came between offer and opening is for the next pass: only what was offered may be
/// purged, and only what was sent.
Result<void> RevertObjects::check_unchanged(const swift::LocalOffer& offered,
                                            const swift::OpenObject& object) const {
    const bool same = object.tombstone ? !offered.durable && *object.tombstone == offered.data
                                       : offered.durable && object.data_timestamp == offered.data;
    if (!same)
        return Error{errc::not_found, object.hash_dir_path + " changed since it was offered"};
    if (object.tombstone) return {};
    const auto stored = object.stored_fragment_index();
    if (stored && *stored != object.fragment_index) {
        return Error{errc::bad_metadata,
                     object.data_path + ": its metadata names another fragment index"};
    }
    return {};
}

Awaitable<Result<std::vector<SubRequest>>> RevertObjects::requests_of(const Wanted& want,
                                                                      swift::OpenObject object) {
    const auto unchanged = check_unchanged(offered_.at(want.object_hash.hex()), object);
    if (unchanged.has_error()) co_return unchanged.error();
    auto requests = sub_requests_of(
        object, want,
        reverted_put_headers(object.data_metadata, object.fragment_index, object.durable()));
    if (requests.has_error()) co_return requests.error();
    for (SubRequest& request : *requests) {
        if (request.method == "PUT") {
            auto given = co_await give_body(request, object);
            if (given.has_error()) co_return given.error();
        }
        counts_.tombstones += request.method == "DELETE";
        counts_.metas += request.method == "POST";
    }
    co_return requests;
}

Awaitable<Result<scheduler::MemoryBudget::Permit>> RevertObjects::take_memory(
    const std::string& object_hash, std::size_t bytes) {
    const scheduler::WaitTimer starving(services_.clock, services_.rebuild_stats.wait_of_session);
    const scheduler::WaitTimer timer(services_.clock, services_.rebuild_stats.wait_for_budget);
    waiting_.emplace().hash = object_hash;
    auto permit = co_await services_.budget.acquire(bytes, &waiting_->line);
    waiting_.reset();
    co_return permit;
}

Awaitable<Result<void>> RevertObjects::give_body(SubRequest& put, swift::OpenObject& object) {
    const auto piece_bytes = BufferPool::capacity_for(static_cast<std::size_t>(
        std::clamp<std::uint64_t>(object.content_length, 1, LocalBody::piece_bytes_max)));
    auto permit =
        co_await take_memory(object.hash, std::min(piece_bytes, services_.budget.capacity_bytes()));
    if (permit.has_error()) co_return permit.error();
    if (cancelled_) co_return Error{errc::cancelled, "session ended"};
    if (services_.suspects.is_given_up(object.hash)) co_return somebody_cancelled();
    FRAGMEND_ASSERT(!sending_);
    sending_.emplace();
    sending_->hash = object.hash;
    sending_->archive = local_archive(object);
    put.content_length = object.content_length;
    put.body = std::make_unique<LocalBody>(
        services_,
        swift::LocalFragmentFile(std::move(object.fd), object.data_path, object.content_length),
        sending_->archive.md5, std::move(permit.value()), sending_->outcome, activity_, pacer_,
        endpoint_of(plan_.target), sending_->stopped);
    co_return Result<void>();
}

Awaitable<void> RevertObjects::finish() {
    if (!sending_) co_return;
    if (sending_->outcome.complete) {
        ++counts_.fragments;
        counts_.bytes += sending_->archive.archive_bytes;
    } else {
        const auto error = sending_->outcome.error.value_or(
            Error{errc::cancelled, "the session ended before it was sent"});
        leave_out(sending_->hash, error);
        if (services_.suspects.is_given_up(sending_->hash)) broke_off_ = incomplete_ = true;
        if (error == errc::bad_fragment || error == errc::io) {
            co_await quarantine_if_damaged(services_, policy_, plan_.local_device.device,
                                           std::move(sending_->archive));
        }
    }
    sending_.reset();
}

void RevertObjects::leave_out(const std::string& object_hash, const Error& error) {
    left_out_.insert(object_hash);
    // Gone or changed since the offer is no failure: the next pass sees it as it is then.
    if (error == errc::not_found || error == errc::cancelled) return;
    incomplete_ = true;
    ++counts_.failures[error.code];
    services_.log.error(
        transport::fragments::full_path(plan_.target, plan_.partition, "", policy_.policy.index) +
        " hash " + object_hash + " not reverted: " + to_string(error));
}

void RevertObjects::cancel() {
    cancelled_ = true;
    if (waiting_) waiting_->line.now();
    stop_sending();
}

void RevertObjects::object_given_up(const std::string& object_hash) {
    if (waiting_ && waiting_->hash == object_hash) waiting_->line.now();
    if (sending_ && sending_->hash == object_hash) stop_sending();
}

void RevertObjects::stop_sending() {
    if (sending_) sending_->stopped = true;
    if (services_.throttle != nullptr) services_.throttle->wake();
}

std::map<std::string, swift::LocalOffer> RevertObjects::take_delivered() {
    for (const auto& hash : left_out_)
        offered_.erase(hash);
    return std::move(offered_);
}

}  // namespace fragmend::sync
