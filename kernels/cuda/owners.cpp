// Making streams, events and memory.
#include "kernels/cuda/owners.hpp"

#include "kernels/cuda/check.hpp"

namespace fragmend::cuda {

using kernels::Status;

Status Stream::create() {
    FRAGMEND_CUDA_TRY(cudaStreamCreateWithFlags(slot(), cudaStreamNonBlocking));
    return {};
}

Status Event::create() {
    FRAGMEND_CUDA_TRY(cudaEventCreateWithFlags(slot(), cudaEventDisableTiming));
    return {};
}

Status DeviceBuffer::create(std::size_t bytes) {
    FRAGMEND_CUDA_TRY(cudaMalloc(slot(), bytes));
    return {};
}

Status PinnedBuffer::create(std::size_t bytes) {
    FRAGMEND_CUDA_TRY(cudaHostAlloc(slot(), bytes, cudaHostAllocPortable | cudaHostAllocMapped));
    return {};
}

}  // namespace fragmend::cuda
