// Every CUDA call's outcome as a Status.
#pragma once

#include <cuda_runtime.h>

#include "kernels/api/status.hpp"

namespace fragmend::cuda {

/// Clears the runtime's last error, so that it does not surface in a later, innocent call, and
/// tells errors that leave the context dead (device_lost) from those that it survives.
kernels::Status to_status(cudaError_t error);

}  // namespace fragmend::cuda

/// Returns from the enclosing function, whose result is a Status, unless the call succeeds.
#define FRAGMEND_CUDA_TRY(call)                                                              \
    do {                                                                                     \
        const cudaError_t error_of_call = (call);                                            \
        if (error_of_call != cudaSuccess) return ::fragmend::cuda::to_status(error_of_call); \
    } while (false)
