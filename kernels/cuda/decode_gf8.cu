// The GF(2^8) instances of the decode kernel.
#include "kernels/cuda/decode_kernel.cuh"

namespace fragmend::cuda {

cudaError_t launch_gf8(const kernels::TaskGroup& group, const GroupArrays& arrays,
                       unsigned blocks_max, cudaStream_t stream) {
    return launch_instance<kernels::Kernel::gf8>(group, arrays, blocks_max, stream);
}

cudaError_t load_gf8() {
    return load_instances<kernels::Kernel::gf8>();
}

}  // namespace fragmend::cuda
