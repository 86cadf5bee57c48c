// The decode kernel: blocks walk over a group's tiles, threads over a tile's columns.
#pragma once

#include <algorithm>

#include "kernels/api/decode_step.hpp"
#include "kernels/api/variants.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/tuning.hpp"

namespace fragmend::cuda {

/// Table words of one task: of K sources, or of the most there can be when K is 0.
template <kernels::Kernel kernel, unsigned K, unsigned M>
__host__ __device__ constexpr unsigned table_words(unsigned sources) {
    if (kernel == kernels::Kernel::gf8) return (sources + 2) / 3 * M * 8;
    if (kernel == kernels::Kernel::gf16) return (sources + 2) / 3 * M * 16;
    return sources * M;
}

template <kernels::Kernel kernel, unsigned K, unsigned M>
__global__ void __launch_bounds__(tuning::decode_threads)
    decode_kernel(kernels::TaskGroup group, GroupArrays arrays) {
    constexpr unsigned room = K != 0 ? K : kernels::sources_max;
    __shared__ alignas(16) std::uint32_t table[table_words<kernel, K, M>(room)];
    __shared__ std::uint64_t pointers[room + M];

    for (std::uint32_t tile = blockIdx.x; tile < group.tiles; tile += gridDim.x) {
        const std::uint32_t index =
            kernels::task_of_tile(arrays.first_tiles, group.task_count, tile);
        const kernels::DecodeTask task = arrays.tasks[index];
        const unsigned sources = K != 0 ? K : task.sources;
        __syncthreads();  // All threads are done with the tile before.
        for (unsigned i = threadIdx.x; i < table_words<kernel, K, M>(sources); i += blockDim.x) {
            table[i] = arrays.table[task.first_table_word + i];
        }
        for (unsigned i = threadIdx.x; i < sources + M; i += blockDim.x) {
            pointers[i] = arrays.pointers[task.first_pointer + i];
        }
        __syncthreads();

        kernels::TaskView view;
        view.pointers = pointers;
        view.table = table;
        view.bytes = task.bytes;
        view.sources = sources;
        view.aligned = task.aligned;
        view.check = group.check;
        const std::uint64_t first =
            std::uint64_t{tile - arrays.first_tiles[index]} * group.tile_columns;
        const std::uint64_t all = kernels::columns(kernel, task.bytes);
        const std::uint64_t end =
            first + group.tile_columns < all ? first + group.tile_columns : all;
        bool differs = false;
        FRAGMEND_NO_UNROLL
        for (std::uint64_t column = first + threadIdx.x; column < end; column += blockDim.x) {
            differs |= kernels::decode_column<kernel, K, M>(view, column);
        }
        // Threads that set it at once all write the same.
        if (differs) arrays.differences[task.item] = 1;
    }
}

/// Launches the instance that `with_instance` chooses.
struct Launch {
    const kernels::TaskGroup& group;
    const GroupArrays& arrays;
    unsigned blocks_max;
    cudaStream_t stream;

    template <kernels::Kernel kernel, unsigned K, unsigned M>
    void operator()() const {
        const unsigned blocks = std::min<unsigned>(group.tiles, blocks_max);
        decode_kernel<kernel, K, M><<<blocks, tuning::decode_threads, 0, stream>>>(group, arrays);
    }
};

template <kernels::Kernel kernel>
cudaError_t launch_instance(const kernels::TaskGroup& group, const GroupArrays& arrays,
                            unsigned blocks_max, cudaStream_t stream) {
    kernels::with_instance<kernel>(group.sources, group.outputs,
                                   Launch{group, arrays, blocks_max, stream});
    return cudaPeekAtLastError();
}

/// Loads an instance, which the driver otherwise does, with an allocation, at its first launch.
struct Load {
    cudaError_t& error;

    template <kernels::Kernel kernel, unsigned K, unsigned M>
    void operator()() const {
        cudaFuncAttributes attributes{};
        if (error == cudaSuccess) {
            error = cudaFuncGetAttributes(&attributes, decode_kernel<kernel, K, M>);
        }
    }
};

template <kernels::Kernel kernel>
cudaError_t load_instances() {
    cudaError_t error = cudaSuccess;
    for (unsigned outputs = 1; outputs <= kernels::outputs_max; ++outputs) {
        kernels::with_instance<kernel>(0, outputs, Load{error});
        for (const unsigned sources : kernels::unrolled_sources) {
            kernels::with_instance<kernel>(sources, outputs, Load{error});
        }
    }
    return error;
}

}  // namespace fragmend::cuda
