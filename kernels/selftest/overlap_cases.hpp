// Several batches in flight from several threads.
#pragma once

#include <span>

#include "kernels/api/engine.hpp"
#include "kernels/selftest/tally.hpp"

namespace fragmend::selftest {

/// Decodes, checks and MD5s of sources and outputs in all of the engine's slots at once, submitted
/// by two threads, a few rounds for each of `memories`.
void run_overlap_cases(kernels::Engine& engine, std::span<const kernels::Memory> memories,
                       Tally& tally);

}  // namespace fragmend::selftest
