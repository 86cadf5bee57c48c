// The bench's data, made and judged on the device: gigabytes that need not cross the bus.
#pragma once

#include <cuda_runtime.h>

#include "kernels/api/status.hpp"
#include "kernels/bench/pattern.hpp"

namespace fragmend::bench {

/// Fills the sources and poisons the outputs of one slab, a multiple of 8 that the device can
/// reach. Done when it returns.
kernels::Status fill_slab(std::uint8_t* slab, const Expectation& expected, cudaStream_t stream);

/// Sets `place` to the first byte of the slab's outputs that is wrong, or to their size.
kernels::Status compare_slab(const std::uint8_t* slab, const Expectation& expected,
                             cudaStream_t stream, std::uint64_t& place);

}  // namespace fragmend::bench
