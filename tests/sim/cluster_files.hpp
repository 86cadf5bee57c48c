// What a pass reads of a node besides its objects: the ring file. And its dice.
#pragma once

#include <cstdint>

#include "host/swift/ring.hpp"
#include "tests/sim/virtual_time.hpp"

namespace fragmend::sim {

struct LocalDisk;

/// The one ring file of the world that lives, and the state of `std::random_device` in it: replaced
/// functions have no other place to look.
struct ClusterFiles {
    swift::RingPtr ring;
    Moment changed_at{};  ///< When a newer ring took its place for the last time.
    std::uint64_t chance = 0;
    LocalDisk* disk = nullptr;  ///< Of what knows nothing but its path.
};
ClusterFiles& cluster_files();

}  // namespace fragmend::sim
