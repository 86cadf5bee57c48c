// What was rebuilt on the side for a target whose session has not come yet.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/base/timestamp.hpp"
#include "scheduler/memory_budget.hpp"
#include "scheduler/rebuild.hpp"

namespace fragmend::sync {

/// Of the memory budget a stash gets one part in so many.
inline constexpr std::size_t stash_part = 4;

/// When several partners of a job lack fragments of the same objects, the session with the first of
/// them rebuilds for the others too, out of one reading of the survivors, and leaves the archives
/// here. (Sessions with all of them at the same time would hold one device's lock while they wait
/// for the other's, on every node at once.) At most `bytes_max` are promised or kept; an object for
/// which there is no room is read again.
///
/// What lies here pays for itself out of the budget, but nobody ever waits for it: as soon as
/// somebody waits for memory, the oldest archives go. Everything here is verified. Owned by
/// host/app, outlives every job; runs on the network thread.
class Stash {
  public:
    /// `budget` outlives the stash.
    Stash(scheduler::MemoryBudget& budget, std::size_t bytes_max);
    ~Stash();
    Stash(const Stash&) = delete;
    Stash& operator=(const Stash&) = delete;

    /// A wanted fragment of one job.
    struct Key {
        const void* job = nullptr;
        std::string object_hash;
        std::uint8_t wanted = 0;
        auto operator<=>(const Key&) const = default;
    };

    /// Room that somebody was promised; goes back when it is destroyed.
    class Room {
      public:
        Room() = default;
        Room(Room&& other) noexcept
            : stash_(std::exchange(other.stash_, nullptr)), bytes_(other.bytes_) {}
        Room& operator=(Room&& other) noexcept;
        ~Room();

      private:
        friend class Stash;
        Room(Stash* stash, std::size_t bytes) : stash_(stash), bytes_(bytes) {}
        Stash* stash_ = nullptr;
        std::size_t bytes_ = 0;
    };
    /// Room for an archive of `archive_bytes`; nothing if there is too little, or somebody waits
    /// for memory.
    std::optional<Room> promise(std::uint64_t archive_bytes);

    /// Takes output `output` of a verified rebuild, unless somebody waits for memory.
    void keep(Key key, Room room, std::shared_ptr<scheduler::ObjectRebuild> rebuild,
              std::size_t output);
    bool has(const Key& key) const { return places_.contains(key); }

    /// An archive that was kept, with the room that it takes until its session is done with it.
    struct Part {
        std::shared_ptr<scheduler::ObjectRebuild> rebuild;
        std::size_t output = 0;
        Room room;
    };
    /// What was kept, if it is of this version; another version goes.
    std::optional<Part> take(const Key& key, const scheduler::RebuildRequest& wanted);
    /// The job is over: what is left of it goes.
    void forget(const void* job);

    std::size_t bytes() const { return bytes_; }

  private:
    struct Kept {
        Key key;
        Room room;
        std::shared_ptr<scheduler::ObjectRebuild> rebuild;
        std::size_t output = 0;
    };
    using Place = std::list<Kept>::iterator;
    void drop(Place place);
    /// Drops the oldest until `bytes` of the budget are free, or nothing is left here.
    void make_room(std::size_t bytes);

    scheduler::MemoryBudget& budget_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<Kept> kept_;  ///< Oldest first.
    std::map<Key, Place> places_;
};

}  // namespace fragmend::sync
