// Keeping and letting go.
#include "host/sync/stash.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::sync {

Stash::Stash(scheduler::MemoryBudget& budget, std::size_t bytes_max)
    : budget_(budget), bytes_max_(bytes_max) {
    budget_.on_shortage([this](std::size_t bytes) { make_room(bytes); });
}

Stash::~Stash() {
    budget_.on_shortage({});
    while (!kept_.empty())
        drop(kept_.begin());
    FRAGMEND_ASSERT(bytes_ == 0);
}

Stash::Room& Stash::Room::operator=(Room&& other) noexcept {
    std::swap(stash_, other.stash_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

Stash::Room::~Room() {
    if (stash_ != nullptr) stash_->bytes_ -= bytes_;
}

std::optional<Stash::Room> Stash::promise(std::uint64_t archive_bytes) {
    if (archive_bytes > bytes_max_ - bytes_ || budget_.has_waiters()) return std::nullopt;
    const auto bytes = static_cast<std::size_t>(archive_bytes);
    bytes_ += bytes;
    return Room(this, bytes);
}

void Stash::keep(Key key, Room room, std::shared_ptr<scheduler::ObjectRebuild> rebuild,
                 std::size_t output) {
    FRAGMEND_ASSERT(rebuild->outcome().verified && !has(key));
    kept_.push_back({std::move(key), std::move(room), std::move(rebuild), output});
    places_.emplace(kept_.back().key, std::prev(kept_.end()));
    if (budget_.has_waiters()) drop(std::prev(kept_.end()));
}

std::optional<Stash::Part> Stash::take(const Key& key, const scheduler::RebuildRequest& wanted) {
    const auto found = places_.find(key);
    if (found == places_.end()) return std::nullopt;
    const Place place = found->second;
    const scheduler::RebuildRequest& kept = place->rebuild->request();
    if (kept.data_timestamp != wanted.data_timestamp || kept.ec_etag != wanted.ec_etag ||
        kept.archive_bytes != wanted.archive_bytes) {
        drop(place);
        return std::nullopt;
    }
    Part part{std::move(place->rebuild), place->output, std::move(place->room)};
    places_.erase(found);
    kept_.erase(place);
    return part;
}

void Stash::forget(const void* job) {
    for (auto place = kept_.begin(); place != kept_.end();) {
        const auto next = std::next(place);
        if (place->key.job == job) drop(place);
        place = next;
    }
}

void Stash::drop(Place place) {
    place->rebuild->give_up(place->output);
    places_.erase(place->key);
    kept_.erase(place);
}

void Stash::make_room(std::size_t bytes) {
    while (!kept_.empty() && budget_.capacity_bytes() - budget_.in_use_bytes() < bytes)
        drop(kept_.begin());
}

}  // namespace fragmend::sync
