// This node's disk in memory, behind the functions of host/swift that a job calls.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/base/clock.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/purge.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/objects.hpp"
#include "tests/sim/peers.hpp"
#include "tests/sim/virtual_time.hpp"

namespace fragmend::sim {

/// Before all fragments of the same hash.
inline constexpr int tombstone_index = -1;

struct LocalDisk {
    std::map<std::string, Held> objects;  ///< By hash.
    /// What belongs elsewhere, by hash and fragment index.
    std::map<std::pair<std::string, int>, Held> strays;
    std::set<std::string> handoffs;     ///< Directories of partitions of which we are no primary.
    std::set<std::string> quarantined;  ///< Hashes.
    unsigned trouble_percent = 0;       ///< How often a visit fails.
    Truth* truth = nullptr;
    Dice dice{0};
    std::uint64_t faults = 0;
    bool process_is_dead = false;  ///< Killed: it changes nothing any more.
    /// Whether a partition is settled is looked at, which may fail.
    std::function<void(const std::string& partition)> on_look;
    /// A partition's turn begins: its suffixes are listed.
    std::function<void(const std::string& partition)> on_turn;
    /// Something is about to go that was delivered.
    std::function<void(const Held&, const swift::PurgeRequest&)> on_purge;
    std::map<std::string, UniqueFd>
        locks;  ///< Of partitions: the reading ends of what holders have.

    std::vector<const Held*> held_in(const std::string& partition) const;
    /// Nothing when the hash has nothing, or not that index. A tombstone has any.
    const Held* find(const std::string& hash, std::optional<int> index) const;
    /// The archive as it lies there.
    std::string bytes_of(const Held& held) const;
    /// Somebody has the partition's replication lock.
    bool is_locked(const std::string& partition) const;

    bool fails() {
        const bool failed = dice.chance(trouble_percent);
        faults += failed;
        return failed;
    }
};

/// The clock of a simulated world. A DiskContext carries it to the functions of host/swift, which
/// find the disk by it.
class SimClock final : public Clock {
  public:
    explicit SimClock(LocalDisk& disk) : disk_(disk) {}
    /// Of this node, whose clock is not that of the proxies that stamped its objects.
    Timestamp now() const override {
        using Units = std::chrono::duration<std::int64_t, std::ratio<1, 100'000>>;
        const auto passed =
            std::chrono::duration_cast<Units>(VirtualTime::now().time_since_epoch());
        return {170'000'000'000'000 + skew_units + passed.count(), 0};
    }
    std::int64_t skew_units = 0;  ///< Of ten microseconds.
    std::chrono::steady_clock::time_point steady() const override { return VirtualTime::now(); }
    LocalDisk& disk() const { return disk_; }

  private:
    LocalDisk& disk_;
};

}  // namespace fragmend::sim
