// Launching the kernels, one group of decodes or all streams of a batch.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/api/md5_stream.hpp"
#include "kernels/api/task.hpp"

namespace fragmend::cuda {

/// The arrays of a batch as they lie on the device (see kernels::WorkList); `tasks` and
/// `first_tiles` begin with the group's first task.
struct GroupArrays {
    const kernels::DecodeTask* tasks = nullptr;
    const std::uint32_t* first_tiles = nullptr;
    const std::uint64_t* pointers = nullptr;
    const std::uint32_t* table = nullptr;
    std::uint32_t* differences = nullptr;  ///< One word an item, set to 1 by a failed check.
};

struct StreamArrays {
    const kernels::StreamTask* streams = nullptr;
    const kernels::StreamPart* parts = nullptr;
    kernels::Md5State* states = nullptr;
    std::uint32_t count = 0;
};

/// Loads all kernels but the reference ones onto the current device, so that none is loaded in the
/// midst of a rebuild. An error where the binary holds no code for it.
cudaError_t load_code();

/// Queues one group; group.tiles > 0. Returns cudaPeekAtLastError's answer.
cudaError_t launch_group(const kernels::TaskGroup& group, const GroupArrays& arrays,
                         unsigned blocks_max, cudaStream_t stream);

/// Queues all streams, one a thread; count > 0.
cudaError_t launch_streams(const StreamArrays& arrays, cudaStream_t stream);

// One a translation unit, so that they compile side by side.
cudaError_t launch_gf8(const kernels::TaskGroup&, const GroupArrays&, unsigned, cudaStream_t);
cudaError_t launch_gf16(const kernels::TaskGroup&, const GroupArrays&, unsigned, cudaStream_t);
cudaError_t launch_xor(const kernels::TaskGroup&, const GroupArrays&, unsigned, cudaStream_t);
cudaError_t launch_reference(const kernels::TaskGroup&, const GroupArrays&, unsigned, cudaStream_t);
cudaError_t load_gf8();
cudaError_t load_gf16();
cudaError_t load_xor();

}  // namespace fragmend::cuda
