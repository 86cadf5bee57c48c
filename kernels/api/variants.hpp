// Which instances of the decode step exist, and the way from a group to its instance.
#pragma once

#include <cstdint>

#include "kernels/api/task.hpp"

namespace fragmend::kernels {

/// Numbers of sources with an unrolled instance, those of common policies; others share K = 0.
inline constexpr std::uint8_t unrolled_sources[] = {4, 6, 8, 10, 12, 15, 16, 20};

/// What a group records as its sources: `sources` if tasks of that many have an instance of their
/// own, else 0. Only the byte permutation kernels are worth it: the others wait for memory anyway.
constexpr std::uint8_t instance_sources(Kernel kernel, unsigned sources, unsigned outputs) {
    if ((kernel != Kernel::gf8 && kernel != Kernel::gf16) || outputs == 3) return 0;
    for (std::uint8_t unrolled : unrolled_sources) {
        if (unrolled == sources) return unrolled;
    }
    return 0;
}

/// Calls run.template operator()<kernel, K, M>() for the instance of `sources` and `outputs`, both
/// as in a TaskGroup.
template <Kernel kernel, unsigned K, class Run>
void with_outputs(unsigned outputs, Run&& run) {
    switch (outputs) {
        case 1:
            return run.template operator()<kernel, K, 1>();
        case 2:
            return run.template operator()<kernel, K, 2>();
        case 3:
            if constexpr (K == 0) run.template operator()<kernel, K, 3>();
            return;
        default:
            return run.template operator()<kernel, K, 4>();
    }
}

template <Kernel kernel, class Run>
void with_instance(unsigned sources, unsigned outputs, Run&& run) {
    if constexpr (kernel == Kernel::gf8 || kernel == Kernel::gf16) {
        switch (sources) {
            case 4:
                return with_outputs<kernel, 4>(outputs, run);
            case 6:
                return with_outputs<kernel, 6>(outputs, run);
            case 8:
                return with_outputs<kernel, 8>(outputs, run);
            case 10:
                return with_outputs<kernel, 10>(outputs, run);
            case 12:
                return with_outputs<kernel, 12>(outputs, run);
            case 15:
                return with_outputs<kernel, 15>(outputs, run);
            case 16:
                return with_outputs<kernel, 16>(outputs, run);
            case 20:
                return with_outputs<kernel, 20>(outputs, run);
            default:
                break;
        }
    }
    with_outputs<kernel, 0>(outputs, run);
}

}  // namespace fragmend::kernels
