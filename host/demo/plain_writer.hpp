// The yardstick: a program that only writes the same files and syncs them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::demo {

struct PlainReport {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    double seconds = 0;  ///< Of making folders, writing and syncing; reading is not counted.
};

/// Writes copies of all files below `sources` (their folders too, nothing of their attributes) to
/// below `target`, an empty folder, on `threads` threads; with `fsync` each file is synced before
/// it is closed. What is read stays within some 64 MiB. Blocks.
/// Errors: io, no_space, cancelled.
Result<PlainReport> write_plainly(const std::vector<std::string>& sources,
                                  const std::string& target, unsigned threads, bool fsync,
                                  const std::atomic<bool>& stop);

}  // namespace fragmend::demo
