// This node's disk in memory, behind the functions of host/swift that a job calls.
#pragma once

#include <cstdint>
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
    Timestamp now() const override { return {170'000'000'000'000, 0}; }
    std::chrono::steady_clock::time_point steady() const override { return VirtualTime::now(); }
    LocalDisk& disk() const { return disk_; }

  private:
    LocalDisk& disk_;
};

}  // namespace fragmend::sim
