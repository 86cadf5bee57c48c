// The GF(2^16) instances of the decode kernel.
#include "kernels/cuda/decode_kernel.cuh"

namespace fragmend::cuda {

cudaError_t launch_gf16(const kernels::TaskGroup& group, const GroupArrays& arrays,
                        unsigned blocks_max, cudaStream_t stream) {
    return launch_instance<kernels::Kernel::gf16>(group, arrays, blocks_max, stream);
}

cudaError_t load_gf16() {
    return load_instances<kernels::Kernel::gf16>();
}

}  // namespace fragmend::cuda
