// MD5 across batches, and what an engine must refuse.
#pragma once

#include "kernels/api/engine.hpp"
#include "kernels/selftest/tally.hpp"

namespace fragmend::selftest {

/// Known digests whole and split over batches and items; refusals.
void run_md5_cases(kernels::Engine& engine, Tally& tally);

}  // namespace fragmend::selftest
