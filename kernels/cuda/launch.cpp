// From a group to the translation unit that holds its instances.
#include "kernels/cuda/launch.hpp"

namespace fragmend::cuda {

cudaError_t launch_group(const kernels::TaskGroup& group, const GroupArrays& arrays,
                         unsigned blocks_max, cudaStream_t stream) {
    switch (group.kernel) {
        case kernels::Kernel::exclusive_or:
        case kernels::Kernel::packets:
            return launch_xor(group, arrays, blocks_max, stream);
        case kernels::Kernel::gf8:
            return launch_gf8(group, arrays, blocks_max, stream);
        case kernels::Kernel::gf16:
            return launch_gf16(group, arrays, blocks_max, stream);
        case kernels::Kernel::reference_gf8:
        case kernels::Kernel::reference_gf16:
            return launch_reference(group, arrays, blocks_max, stream);
    }
    return cudaErrorInvalidValue;
}

}  // namespace fragmend::cuda
