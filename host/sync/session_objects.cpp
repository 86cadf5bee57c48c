// Offers from the disk, sub-requests from rebuilds.
#include "host/sync/session_objects.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>

#include "host/swift/local_fragment.hpp"
#include "host/sync/braked_quarantine.hpp"
#include "host/sync/rebuild_request.hpp"
#include "host/sync/solitary.hpp"
#include "host/sync/sub_requests.hpp"

namespace fragmend::sync {
namespace {

using transport::ssync::Offer;
using transport::ssync::SubRequest;
using transport::ssync::Wanted;

/// Objects that may be open on the disk ahead of their turn.
constexpr std::size_t opened_objects_max = 16;
/// Bytes of their archives that may be read ahead.
constexpr std::size_t opened_bytes_max = 64 * 1024;
/// The same of the headers of their requests, in which the metadata are: enough for 13 objects with
/// the 4 KiB that Swift lets a client set.
constexpr std::size_t opened_header_bytes_max = 64 * 1024;
/// Of those objects, opened in one visit to the disk thread. The first visit opens one, so that its
/// rebuild can begin; each later one twice as many as the one before.
constexpr std::size_t opened_at_once_max = 8;
/// One visit to the disk for offers ends with the suffix that reaches either.
constexpr std::size_t suffixes_at_once_max = 32;
constexpr std::size_t offers_at_once_max = 256;

std::size_t read_ahead_of(const Services& services) {
    return static_cast<std::size_t>(
        std::max<std::int64_t>(1, services.options.fragmend.read_ahead));
}

/// Whether a survivor's error speaks of what it holds; a slow or lost connection may do next time.
bool is_proof(errc code) {
    return code != errc::timeout && code != errc::disconnected && code != errc::connect_failed &&
           code != errc::cancelled;
}

/// The bytes of a small archive; none if they cannot be read as they should be, so that the one who
/// needs them meets the error.
std::shared_ptr<const std::vector<std::byte>> read_whole(UniqueFd fd, const LocalArchive& archive) {
    // One byte more: the reader meets the end and lets the page cache go.
    auto content = std::make_shared<std::vector<std::byte>>(archive.archive_bytes + 1);
    swift::LocalFragmentFile file(std::move(fd), archive.path, archive.archive_bytes);
    const auto got = file.read(*content);
    if (got.has_error() || *got != archive.archive_bytes) return nullptr;
    content->pop_back();
    return content;
}

scheduler::RebuildPorts rebuild_ports(Services& services, SurvivorSource& source) {
    return {services.network, source,           services.codec, services.dispatcher,
            services.budget,  services.buffers, services.clock, services.rebuild_stats,
            services.log};
}

}  // namespace

/// Pieces of the rebuild at the front of the session's queue.
class SessionObjects::Body final : public transport::ssync::BodyStream {
  public:
    explicit Body(SessionObjects& session)
        : session_(session),
          rebuilds_(session.rebuilds_),
          counts_(session.counts_),
          activity_(session.activity_) {}
    Awaitable<Result<ByteView>> next() override {
        auto piece = co_await rebuilds_.next();
        if (auto error = given_up()) co_return *error;
        if (piece.has_error()) co_return piece;
        activity_.moved();
        bytes_ += piece->size();
        if (piece->empty()) {
            session_.current_->sent = true;
            ++counts_.fragments;
            counts_.bytes += bytes_;
        }
        scheduler::Throttle* throttle = session_.services_.throttle;
        if (throttle == nullptr || !throttle->limits_sending() || piece->empty()) co_return piece;
        scheduler::Endpoint to = endpoint_of(session_.plan_.target);
        auto passed =
            co_await throttle->send(std::move(to), piece->size(), session_.stops_sending_);
        if (auto error = given_up()) co_return *error;
        if (passed.has_error()) co_return passed.error();
        co_return piece;
    }

  private:
    /// Half of it may be out there: then the session ends, and the next one begins without it.
    std::optional<Error> given_up() const {
        if (!session_.is_current_given_up()) return std::nullopt;
        return somebody_cancelled();
    }

    SessionObjects& session_;
    scheduler::ReadAhead& rebuilds_;
    SessionCounts& counts_;
    Activity& activity_;
    std::uint64_t bytes_ = 0;
};

SessionObjects::SessionObjects(Services& services, const PolicyContext& policy, SessionPlan plan,
                               Activity& activity, Holes& holes)
    : services_(services),
      policy_(policy),
      plan_(std::move(plan)),
      activity_(activity),
      source_(services, policy, plan_.partition, plan_.local_device, plan_.target, holes),
      rebuilds_(rebuild_ports(services, source_), services.rebuild_limits, read_ahead_of(services)),
      opened_changed_(services.network),
      opener_(services.network),
      on_given_up_(services.suspects,
                   [this](const std::string& object_hash) { object_given_up(object_hash); }) {}

Awaitable<Result<void>> SessionObjects::begin(bool) {
    co_return Result<void>();
}

SessionObjects::Listed SessionObjects::list_suffixes(std::size_t first) const {
    const swift::OfferOptions options{.frag_index = plan_.local_index, .frag_prefs = std::nullopt};
    const std::size_t offers_max = std::min(
        offers_at_once_max, services_.offers_max - std::min(offered_, services_.offers_max));
    const std::size_t suffixes_max = std::min(plan_.suffixes.size() - first, suffixes_at_once_max);
    Listed listed;
    while (listed.suffixes < suffixes_max && listed.offers.size() < offers_max) {
        const std::string suffix(plan_.suffixes[first + listed.suffixes++]);
        auto found = swift::list_offers(policy_.disk, plan_.local_device.device, plan_.partition,
                                        suffix, options);
        if (found.has_value()) {
            std::ranges::move(*found, std::back_inserter(listed.offers));
        } else if (found.error() == errc::not_mounted) {
            listed.unmounted = found.error();
            break;
        } else {
            listed.failed.push_back(found.error().code);
        }
    }
    return listed;
}

Awaitable<Result<std::optional<Offer>>> SessionObjects::next_offer() {
    activity_.moved();
    while (offers_.empty()) {
        if (cancelled_) co_return Error{errc::cancelled, "session ended"};
        if (next_suffix_ == plan_.suffixes.size() || offered_ >= services_.offers_max)
            co_return std::nullopt;
        auto list = [this] { return list_suffixes(next_suffix_); };
        auto listed = co_await on_disk(services_, std::move(list));
        if (listed.unmounted) co_return *listed.unmounted;
        next_suffix_ += listed.suffixes;
        // The other suffixes are none the worse for those.
        for (const errc code : listed.failed)
            services_.stats.partition_failed(code);
        offers_.assign(std::make_move_iterator(listed.offers.begin()),
                       std::make_move_iterator(listed.offers.end()));
    }
    auto local = std::move(offers_.front());
    offers_.pop_front();
    ++offered_;
    if (const auto hash = ObjectHash::parse(local.object_hash)) order_.offered(*hash, local.data);
    std::optional<Offer> offer(std::in_place);
    offer->object_hash = std::move(local.object_hash);
    offer->data = local.data;
    offer->meta = local.meta;
    offer->content_type = local.content_type;
    offer->durable = local.durable;
    co_return offer;
}

Awaitable<Result<void>> SessionObjects::wanted(std::vector<Wanted> objects) {
    order_.sort(objects, plan_, services_.risks);
    to_open_.assign(std::make_move_iterator(objects.begin()),
                    std::make_move_iterator(objects.end()));
    opener_.spawn(open_ahead());
    co_return Result<void>();
}

std::size_t SessionObjects::read_bytes_waiting() const {
    std::size_t bytes = 0;
    for (const Item& item : opened_)
        bytes += item.archive.content ? item.archive.content->size() : 0;
    return bytes;
}

std::size_t SessionObjects::header_bytes_waiting() const {
    const auto add = [](std::size_t bytes, const Item& item) { return bytes + item.header_bytes; };
    return std::accumulate(opened_.begin(), opened_.end(), std::size_t{0}, add);
}

SessionObjects::Item SessionObjects::open_one(Wanted want, std::size_t read_bytes_max) const {
    Item item;
    item.want = std::move(want);
    const swift::OpenOptions options{
        .frag_index = plan_.local_index, .frag_prefs = std::nullopt, .open_expired = true};
    auto opened = swift::open_object(policy_.disk, plan_.local_device.device, plan_.partition,
                                     item.want.object_hash.hex(), options);
    if (opened.has_error()) {
        item.error = opened.error();
        return item;
    }
    item.object = std::move(opened.value());
    auto requests = sub_requests_of(
        item.object, item.want, rebuilt_put_headers(item.object.data_metadata, plan_.wanted_index));
    if (requests.has_value())
        item.requests = std::move(requests.value());
    else
        item.error = requests.error();
    if (item.object.tombstone) return item;
    item.header_bytes = header_bytes_of(item.requests);
    keep_what_is_looked_up(item.object);
    item.archive = local_archive(item.object);
    if (!item.error && item.needs_rebuild() && item.object.content_length <= read_bytes_max) {
        item.archive.content = read_whole(std::move(item.object.fd), item.archive);
    }
    // A larger one is opened again when its turn comes: descriptors are not read ahead.
    item.object.fd = UniqueFd();
    return item;
}

Awaitable<void> SessionObjects::open_ahead() {
    std::size_t at_once = 1;
    while (!to_open_.empty() && !cancelled_) {
        const std::size_t headers = header_bytes_waiting();
        if (opened_.size() >= opened_objects_max || headers >= opened_header_bytes_max) {
            co_await opened_changed_.wait();
            continue;
        }
        const std::size_t count =
            std::min({at_once, opened_objects_max - opened_.size(), to_open_.size()});
        at_once = std::min(at_once * 2, opened_at_once_max);
        std::vector<Wanted> wants(to_open_.begin(),
                                  to_open_.begin() + static_cast<std::ptrdiff_t>(count));
        const std::size_t waiting = read_bytes_waiting();
        auto open = [this, wants = std::move(wants), waiting, headers] {
            std::vector<Item> items;
            items.reserve(wants.size());
            std::size_t header_bytes = headers;
            std::size_t room = opened_bytes_max - std::min(opened_bytes_max, waiting);
            for (const Wanted& want : wants) {
                items.push_back(open_one(want, std::min(room, small_local_archive_bytes_max)));
                const auto& content = items.back().archive.content;
                if (content) room -= content->size();
                header_bytes += items.back().header_bytes;
                if (header_bytes >= opened_header_bytes_max) break;
            }
            return items;
        };
        auto items = co_await on_disk(services_, std::move(open));
        to_open_.erase(to_open_.begin(), to_open_.begin() + std::ssize(items));
        std::ranges::move(items, std::back_inserter(opened_));
        // While the object before it is still waited for: short sessions are nothing but
        // beginnings.
        if (!cancelled_) start_rebuilds();
        opened_changed_.notify();
    }
    opener_done_ = true;
    opened_changed_.notify();
}

std::uint64_t SessionObjects::ahead_bytes_max() const {
    if (services_.throttle == nullptr) return std::numeric_limits<std::uint64_t>::max();
    return scheduler::ahead_bytes_max(services_.throttle->settings().read,
                                      static_cast<std::size_t>(policy_.policy.k),
                                      services_.sessions.capacity());
}

void SessionObjects::start_rebuilds() {
    const std::uint64_t ahead_max = ahead_bytes_max();
    std::uint64_t ahead = current_ ? current_->round_bytes : 0;
    for (Item& item : opened_) {
        if (!rebuilds_.has_room() || (!rebuilds_.empty() && ahead >= ahead_max)) return;
        ahead += item.round_bytes;
        if (item.started || item.error || !item.needs_rebuild()) continue;
        if (const auto broke = services_.suspects.why_it_broke(item.object.hash)) {
            item.error = *broke;
            continue;
        }
        auto request = rebuild_request_of(item.object, plan_, policy_.policy, services_.codec);
        if (request.has_error()) {
            item.error = request.error();
            continue;
        }
        item.round_bytes = static_cast<std::uint64_t>(policy_.policy.k) *
                           std::min<std::uint64_t>(request->fragment_bytes, request->archive_bytes);
        ahead += item.round_bytes;
        start_rebuild(item, std::move(request.value()));
    }
}

void SessionObjects::start_rebuild(Item& item, scheduler::RebuildRequest request) {
    item.started = true;
    source_.remember(item.object.hash, item.archive);
    Stash* stash = plan_.job == nullptr ? nullptr : services_.stash;
    if (stash != nullptr) {
        auto part = stash->take(stash_key(item, plan_.wanted_index), request);
        if (part) {
            item.rooms.push_back(std::move(part->room));
            return rebuilds_.push(std::move(part->rebuild), part->output);
        }
    }
    for (const LaterTarget& later : plan_.later) {
        if (stash == nullptr || request.archive_bytes == 0 ||
            stash->has(stash_key(item, later.wanted_index)) ||
            !std::ranges::binary_search(later.suffixes,
                                        swift::SuffixName(request.object_hash.substr(29)))) {
            continue;
        }
        auto room = stash->promise(request.archive_bytes);
        if (!room) break;
        item.rooms.push_back(std::move(*room));
        request.also_wanted.push_back(static_cast<std::uint8_t>(later.wanted_index));
    }
    rebuilds_.push(std::move(request), services_.suspects.of(item.object.hash));
}

Stash::Key SessionObjects::stash_key(const Item& item, int wanted) const {
    return {plan_.job, item.object.hash, static_cast<std::uint8_t>(wanted)};
}

void SessionObjects::keep_for_later(Item& item) {
    const scheduler::ObjectRebuild& rebuild = rebuilds_.front();
    // What came from the stash has an output there, and nobody else's.
    if (item.rooms.empty() || !rebuild.outcome().verified || rebuilds_.is_shared_front()) return;
    if (is_current_given_up()) return;
    const auto& later = rebuild.request().also_wanted;
    if (later.empty()) return;
    const auto shared = rebuilds_.share_front();
    for (std::size_t i = 0; i < later.size(); ++i)
        services_.stash->keep(stash_key(item, later[i]), std::move(item.rooms[i]), shared, i + 1);
}

Awaitable<void> SessionObjects::finish_current() {
    if (!current_) co_return;
    if (current_->started) {
        scheduler::ObjectRebuild& rebuild = rebuilds_.front();
        // A body that failed before any of it was sent: the session went on without it.
        const auto failed = rebuild.outcome().error;
        if (failed && !(*failed == errc::cancelled)) {
            object_failed(*current_, *failed);
            // Pieces that were taken and never sent bind nobody: a session that begins without the
            // culprits may send the object whole.
            if (*failed == errc::wrong_bytes && rebuilds_.bytes_released() > 0) {
                body_broke(*failed);
            }
        }
        const bool given_up = is_current_given_up();
        if (given_up) object_failed(*current_, somebody_cancelled());
        if (!given_up && failed && *failed == errc::too_few_fragments &&
            rebuild.outcome().culprits.empty()) {
            co_await quarantine_if_solitary(services_, policy_, plan_, current_->object,
                                            source_.inquiries());
        }
        keep_for_later(*current_);
        auto culprits = rebuild.take_culprits();
        co_await note_culprits(*current_, std::move(culprits), failed);
        source_.forget(current_->object.hash);
        co_await rebuilds_.pop();
    }
    current_.reset();
}

Awaitable<Result<std::vector<SubRequest>>> SessionObjects::next_sub_requests() {
    activity_.moved();
    while (true) {
        co_await finish_current();
        while (opened_.empty() && !opener_done_ && !cancelled_)
            co_await opened_changed_.wait();
        if (cancelled_) co_return Error{errc::cancelled, "session ended"};
        if (opened_.empty()) co_return std::vector<SubRequest>();
        start_rebuilds();
        current_ = std::move(opened_.front());
        opened_.pop_front();
        stops_sending_ = cancelled_;
        opened_changed_.notify();
        // It may have been read ahead, and have failed elsewhere or have been cancelled since.
        if (!current_->error)
            current_->error = services_.suspects.why_it_broke(current_->want.object_hash.hex());
        if (current_->error) {
            // Gone since the offer is no failure: somebody deleted or moved it.
            if (*current_->error == errc::not_found) continue;
            object_failed(*current_, *current_->error);
            continue;
        }
        auto requests = co_await requests_of(*current_);
        if (requests.has_error()) {
            if (requests.error() == errc::cancelled && !is_current_given_up())
                co_return requests.error();
            object_failed(*current_, requests.error());
            continue;
        }
        if (!requests->empty()) co_return requests;
    }
}

Awaitable<Result<std::vector<SubRequest>>> SessionObjects::requests_of(Item& item) {
    if (item.needs_rebuild()) {
        FRAGMEND_ASSERT(item.started);
        const auto ready = co_await rebuilds_.ready();
        if (ready.has_error()) co_return ready.error();
        SubRequest& put = item.requests.front();
        put.content_length = item.object.content_length;
        put.body = std::make_unique<Body>(*this);
    }
    for (const SubRequest& request : item.requests) {
        counts_.tombstones += request.method == "DELETE";
        counts_.metas += request.method == "POST";
    }
    co_return std::move(item.requests);
}

Awaitable<void> SessionObjects::note_culprits(const Item& item,
                                              std::vector<scheduler::Culprit> culprits,
                                              std::optional<Error> failed) {
    const swift::OpenObject& object = item.object;
    // Bytes that went out came from somebody who was never found out, because another one broke off
    // before the end: only without that one the next session gets further.
    const bool leaves_all_out = failed && *failed == errc::wrong_bytes;
    for (const auto& culprit : culprits) {
        if (leaves_all_out && !(culprit.error == errc::cancelled))
            services_.suspects.add(object.hash, culprit.device_id);
        if (!is_proof(culprit.error.code)) continue;
        services_.suspects.add(object.hash, culprit.device_id);
        source_.was_damaged(culprit.device_id, object.hash);
        if (culprit.error == errc::bad_fragment) {
            auto archive = source_.archive_at(culprit.device_id, object);
            if (archive && damaged_.size() < damaged_max) damaged_.push_back(std::move(*archive));
        }
        services_.stats.bad_survivor({culprit.name, object.name.path(), to_string(culprit.error)});
        if (culprit.device_id != plan_.local_device.id ||
            (culprit.error.code != errc::bad_fragment && culprit.error.code != errc::io)) {
            continue;
        }
        LocalArchive archive = item.archive;
        co_await quarantine_if_damaged(services_, policy_, plan_.local_device.device,
                                       std::move(archive));
    }
}

void SessionObjects::object_failed(Item& item, const Error& error) {
    if (std::exchange(item.counted, true)) return;
    ++counts_.failures[error.code];
    ++counts_.objects_failed;
    // Too few survivors was already said in Swift's words.
    if (error == errc::too_few_fragments) return;
    services_.log.error(transport::fragments::full_path(plan_.target, plan_.partition,
                                                        item.object.name.path(),
                                                        policy_.policy.index) +
                        " frag#" + std::to_string(plan_.wanted_index) + " hash " +
                        item.want.object_hash.hex() + " not rebuilt: " + to_string(error));
}

void SessionObjects::body_broke(const Error& error) {
    counts_.body_failed = true;
    services_.suspects.broke_session(current_->object.hash, error);
}

void SessionObjects::object_given_up(const std::string& object_hash) {
    rebuilds_.cancel(object_hash);
    source_.inquiries().now(object_hash);
    if (!is_current_given_up()) return;
    stops_sending_ = true;
    if (services_.throttle != nullptr) services_.throttle->wake();
}

void SessionObjects::cancel() {
    cancelled_ = stops_sending_ = true;
    rebuilds_.cancel();
    source_.inquiries().now();
    opened_changed_.notify();
    if (services_.throttle != nullptr) services_.throttle->wake();
}

Awaitable<void> SessionObjects::stop() {
    cancel();
    co_await opener_.join();
    std::optional<Error> error;
    std::vector<scheduler::Culprit> culprits;
    const bool has_current = current_ && current_->started && !rebuilds_.empty();
    if (has_current) {
        error = rebuilds_.front().outcome().error;
        culprits = rebuilds_.front().take_culprits();
    }
    co_await rebuilds_.stop();
    if (!has_current) co_return;
    if (is_current_given_up())
        body_broke(somebody_cancelled());
    else if (error && !(*error == errc::cancelled))
        body_broke(*error);
    co_await note_culprits(*current_, std::move(culprits), error);
}

}  // namespace fragmend::sync
