// The instances that only XOR: flat codes, and Jerasure's packets.
#include "kernels/cuda/decode_kernel.cuh"

namespace fragmend::cuda {

cudaError_t launch_xor(const kernels::TaskGroup& group, const GroupArrays& arrays,
                       unsigned blocks_max, cudaStream_t stream) {
    if (group.kernel == kernels::Kernel::packets)
        return launch_instance<kernels::Kernel::packets>(group, arrays, blocks_max, stream);
    return launch_instance<kernels::Kernel::exclusive_or>(group, arrays, blocks_max, stream);
}

}  // namespace fragmend::cuda
