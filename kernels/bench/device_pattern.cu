// Thrust on one stream, its exceptions turned into outcomes.
#include "kernels/bench/device_pattern.hpp"

#include <thrust/execution_policy.h>
#include <thrust/system_error.h>

#include <new>

#include "kernels/bench/pattern_steps.hpp"
#include "kernels/cuda/check.hpp"

namespace fragmend::bench {
namespace {

template <class Run>
kernels::Status guarded(Run run) {
    try {
        run();
        return {};
    } catch (const std::bad_alloc&) {
        return {kernels::StatusCode::out_of_memory, 0, "memory for comparing"};
    } catch (const thrust::system_error& error) {
        return cuda::to_status(static_cast<cudaError_t>(error.code().value()));
    }
}

}  // namespace

kernels::Status fill_slab(std::uint8_t* slab, const Expectation& expected, cudaStream_t stream) {
    return guarded([&] { write_pattern(thrust::cuda::par.on(stream), slab, expected); });
}

kernels::Status compare_slab(const std::uint8_t* slab, const Expectation& expected,
                             cudaStream_t stream, std::uint64_t& place) {
    return guarded([&] { place = first_difference(thrust::cuda::par.on(stream), slab, expected); });
}

}  // namespace fragmend::bench
