// This node's disk in memory, behind the functions of host/swift that a job calls.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "host/base/clock.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/objects.hpp"
#include "tests/sim/peers.hpp"
#include "tests/sim/virtual_time.hpp"

namespace fragmend::sim {

struct LocalDisk {
    std::map<std::string, Held> objects;  ///< By hash.
    std::set<std::string> quarantined;    ///< Hashes.
    unsigned trouble_percent = 0;         ///< How often a visit fails.
    Truth* truth = nullptr;
    Dice dice{0};
    std::uint64_t faults = 0;
    bool process_is_dead = false;  ///< Killed: it changes nothing any more.
    /// A partition's turn begins: its suffixes are listed.
    std::function<void(const std::string& partition)> on_turn;

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
