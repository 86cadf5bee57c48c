// The bench's data made and judged byte by byte, in place of Thrust on a device.
#include <algorithm>

#include "kernels/bench/device_pattern.hpp"

namespace fragmend::bench {

kernels::Status fill_slab(std::uint8_t* slab, const Expectation& expected, cudaStream_t) {
    const std::uint64_t words = expected.items * expected.sources * expected.stride / 8;
    for (std::uint64_t i = 0; i < words; ++i) {
        reinterpret_cast<std::uint64_t*>(slab)[i] = expected.pattern(i);
    }
    std::fill_n(slab + 8 * words, expected.size(), poison);
    return {};
}

/// Every 61st byte: this is about the bench's way, not about the bytes.
kernels::Status compare_slab(const std::uint8_t* slab, const Expectation& expected, cudaStream_t,
                             std::uint64_t& place) {
    const std::uint8_t* outputs = slab + expected.items * expected.sources * expected.stride;
    for (place = 0; place < expected.size() && outputs[place] == expected(place);) {
        place += 61;
    }
    place = std::min(place, expected.size());
    return {};
}

}  // namespace fragmend::bench
