// The one byte budget of the process and the rule that keeps it from locking up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "host/base/async.hpp"

namespace fragmend::scheduler {

/// What a session takes however small its objects are: its connection, lines, offers and what its
/// receiver wants of them, what waits to be written, local archives that were read with their
/// metadata.
inline constexpr std::size_t session_bytes = 256 * 1024;
/// What a partition in flight takes beside its session when all of its suffixes have hashes, with
/// its part of the answers that are on their way.
inline constexpr std::size_t partition_bytes = 640 * 1024;
/// What is taken besides, however many there are, while hashes are read and compared.
inline constexpr std::size_t hashing_bytes = 8 * 1024 * 1024;
/// Fewer than these would leave a pass waiting for its slowest.
inline constexpr std::size_t partitions_min = 8;
/// How many partitions `limit_bytes` have room for beside objects and `sessions`: `most` of them at
/// most, and no fewer than sessions, each of which is another partition's.
std::size_t partitions_within(std::size_t limit_bytes, std::size_t sessions, std::size_t most);
/// What `limit_bytes` leave for objects where `sessions` may run and so many partitions be in
/// flight: at least half.
std::size_t lendable_bytes(std::size_t limit_bytes, std::size_t sessions, std::size_t partitions);

/// Lends bytes to objects in the order in which they ask (`fragmend_memory_limit`).
///
/// The progress rule. Nobody waits for ever, because
///   1. an object asks once, for all it will ever need (every input slot, its window of outputs,
///      what it holds back, the receive buffers of its survivors and what surrounds it), and holds
///      nothing else of the budget while it waits. What it asks for is fitted to the whole budget
///      first (`fit_shape`, `charge_of`): fewer slots, no receive buffers. Only an object whose
///      smallest slabs exceed the whole budget is refused, so an empty budget serves any other;
///   2. grants are first come, first served; nobody overtakes, so nobody starves;
///   3. objects of one session ask in the order in which the session will send them;
///   4. an object that holds its share depends on outside parties with limits (survivors,
///   receiver),
///      on compute, and on the objects before it in its session, never on the budget. (So a
///      FragmentSource must not let `open` wait for something that open survivors hold.)
/// Take any time at which somebody waits. Of the holders look at the one that was granted first: by
/// 2 and 3 the objects before it in its session held earlier, so they have ended; it is the front
/// of its session and by 4 it ends. Its bytes come back, and by induction the first waiter is
/// served. (Bytes that wait for a later session belong to no holder of the proof: they go back in
/// `on_shortage`, and none are set aside while somebody waits.) An object that finds it needs more
/// (see ReadAhead) gives everything back, together with those behind it in its session, before any
/// of them asks again: that is a fresh session to this proof.
///
/// Bound:    what is lent never exceeds the capacity; more than the capacity is refused.
/// Runs on:  the network thread. Outlives every permit.
class MemoryBudget {
  public:
    using Permit = Semaphore::Permit;

    MemoryBudget(asio::any_io_executor executor, std::size_t capacity_bytes)
        : semaphore_(std::move(executor), capacity_bytes) {}

    /// Errors: limit (more than the whole budget), cancelled (closed, or the caller was hurried).
    /// With `cancel` until that is called.
    Awaitable<Result<Permit>> acquire(std::size_t bytes, Semaphore::Cancel* cancel = nullptr);
    /// `make_room` hears how many bytes are asked for before somebody waits for them.
    void on_shortage(std::function<void(std::size_t)> make_room) {
        make_room_ = std::move(make_room);
    }
    bool has_waiters() const { return semaphore_.has_waiters(); }
    /// Wakes everybody who waits with `cancelled`; nothing is lent afterwards.
    void close() { semaphore_.close(); }

    std::size_t capacity_bytes() const { return semaphore_.capacity(); }
    std::size_t in_use_bytes() const { return semaphore_.in_use(); }
    std::size_t peak_bytes() const { return peak_bytes_; }

  private:
    Semaphore semaphore_;
    std::function<void(std::size_t)> make_room_;
    std::size_t peak_bytes_ = 0;
};

}  // namespace fragmend::scheduler
