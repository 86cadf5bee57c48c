// The instances that only XOR: flat codes, and Jerasure's packets.
#include "kernels/cuda/decode_kernel.cuh"

namespace fragmend::cuda {

cudaError_t launch_xor(const kernels::TaskGroup& group, const GroupArrays& arrays,
                       unsigned blocks_max, cudaStream_t stream) {
    if (group.kernel == kernels::Kernel::packets)
        return launch_instance<kernels::Kernel::packets>(group, arrays, blocks_max, stream);
    return launch_instance<kernels::Kernel::exclusive_or>(group, arrays, blocks_max, stream);
}

cudaError_t load_xor() {
    const cudaError_t error = load_instances<kernels::Kernel::packets>();
    return error == cudaSuccess ? load_instances<kernels::Kernel::exclusive_or>() : error;
}

}  // namespace fragmend::cuda
