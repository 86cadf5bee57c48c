// Batches through an engine, as many in flight as there are.
#pragma once

#include <vector>

#include "kernels/api/engine.hpp"
#include "kernels/bench/work.hpp"

namespace fragmend::bench {

struct Flow {
    double seconds = 0;            ///< From one batch's end to the next one's, all slots taken.
    double seconds_with_ends = 0;  ///< The same over the whole run, filling and draining counted.
    double submit_seconds = 0;     ///< Of one `submit`, on the calling thread.
};

/// Runs `rounds` batches of each work in turn, the oldest awaited before the next is submitted. At
/// least four rounds. Errors: the engine's.
kernels::Status run_flow(kernels::Engine& engine, std::vector<Work>& works, kernels::Memory memory,
                         int rounds, Flow& flow);

/// Whether digests of the first and last item are those of `rounds` times the same bytes; for works
/// with digests, whose slab the CPU can read.
bool digests_are_right(const Work& work, int rounds);

}  // namespace fragmend::bench
