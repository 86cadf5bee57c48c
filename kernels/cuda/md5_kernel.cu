// MD5, one stream a thread.
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/tuning.hpp"

namespace fragmend::cuda {
namespace {

__global__ void __launch_bounds__(tuning::md5_threads) md5_kernel(StreamArrays arrays) {
    const std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= arrays.count) return;
    const kernels::StreamTask stream = arrays.streams[i];
    FRAGMEND_NO_UNROLL
    for (std::uint32_t p = 0; p < stream.part_count; ++p) {
        const kernels::StreamPart part = arrays.parts[stream.first_part + p];
        kernels::md5_absorb(arrays.states[i], reinterpret_cast<const std::uint8_t*>(part.address),
                            part.bytes);
    }
}

}  // namespace

cudaError_t load_code() {
    cudaFuncAttributes attributes{};
    cudaError_t error = cudaFuncGetAttributes(&attributes, md5_kernel);
    for (const auto load : {load_gf8, load_gf16, load_xor}) {
        if (error == cudaSuccess) error = load();
    }
    return error;
}

cudaError_t launch_streams(const StreamArrays& arrays, cudaStream_t stream) {
    const unsigned blocks = (arrays.count + tuning::md5_threads - 1) / tuning::md5_threads;
    md5_kernel<<<blocks, tuning::md5_threads, 0, stream>>>(arrays);
    return cudaPeekAtLastError();
}

}  // namespace fragmend::cuda
