// The instances without tables, for the self-test.
#include "kernels/cuda/decode_kernel.cuh"

namespace fragmend::cuda {

cudaError_t launch_reference(const kernels::TaskGroup& group, const GroupArrays& arrays,
                             unsigned blocks_max, cudaStream_t stream) {
    if (group.kernel == kernels::Kernel::reference_gf8)
        return launch_instance<kernels::Kernel::reference_gf8>(group, arrays, blocks_max, stream);
    return launch_instance<kernels::Kernel::reference_gf16>(group, arrays, blocks_max, stream);
}

}  // namespace fragmend::cuda
