// A CUDA runtime played by the CPU: enough of it to run the engine and the bench of the device part
// where there is no device. Every call is done when it returns; an illegal address poisons all
// later calls until the device is reset, as a context does.
#include <cuda_runtime.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "kernels/api/decode_step.hpp"
#include "kernels/api/variants.hpp"
#include "kernels/cuda/launch.hpp"
#include "tests/kernels/cuda/played_runtime.hpp"

namespace {

struct Runtime {
    std::mutex mutex;
    cudaError_t sticky = cudaSuccess;
    cudaError_t last = cudaSuccess;
    bool resets_help = true;
    bool has_code = true;
    bool copies_hang = false;
    std::condition_variable copies_go_on;
    unsigned resets = 0;
    std::atomic<unsigned> copies = 0;
};

Runtime& runtime() {
    static Runtime one;
    return one;
}

cudaError_t answer() {
    const std::lock_guard lock(runtime().mutex);
    runtime().last = runtime().sticky;
    return runtime().sticky;
}

cudaError_t begin_copy() {
    {
        std::unique_lock lock(runtime().mutex);
        runtime().copies_go_on.wait(lock, [] { return !runtime().copies_hang; });
    }
    return answer();
}

using Clock = std::chrono::steady_clock;

Clock::time_point& time_of(cudaEvent_t event) {
    return *reinterpret_cast<Clock::time_point*>(event);
}

cudaError_t allocate(void** memory, size_t bytes) {
    if (const cudaError_t error = answer(); error != cudaSuccess) return error;
    *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    // What a device's memory holds at first is nobody's to rely on.
    if (*memory != nullptr && bytes < (std::size_t{64} << 20)) std::memset(*memory, 0xcd, bytes);
    return *memory != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t release(void* memory) {
    std::free(memory);
    return answer();
}

}  // namespace

namespace fragmend::played {

void resets_help(bool help) {
    runtime().resets_help = help;
}

void has_code(bool has) {
    runtime().has_code = has;
}

unsigned resets() {
    return runtime().resets;
}

void copies_hang(bool hang) {
    {
        const std::lock_guard lock(runtime().mutex);
        runtime().copies_hang = hang;
    }
    runtime().copies_go_on.notify_all();
}

unsigned copies() {
    return runtime().copies;
}

}  // namespace fragmend::played

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int) {
    return answer();
}
cudaError_t cudaDeviceReset() {
    const std::lock_guard lock(runtime().mutex);
    ++runtime().resets;
    if (runtime().resets_help) runtime().sticky = cudaSuccess;
    return runtime().sticky;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    *properties = {};
    std::strcpy(properties->name, "a device played by the CPU");
    properties->major = 9;
    properties->multiProcessorCount = 2;
    return answer();
}
cudaError_t cudaGetLastError() {
    const std::lock_guard lock(runtime().mutex);
    const cudaError_t error = runtime().last;
    runtime().last = cudaSuccess;
    return error;
}
cudaError_t cudaPeekAtLastError() {
    return runtime().last;
}
const char* cudaGetErrorString(cudaError_t) {
    return "as played";
}
cudaError_t cudaMalloc(void** memory, size_t bytes) {
    return allocate(memory, bytes);
}
cudaError_t cudaFree(void* memory) {
    return release(memory);
}
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
    return allocate(memory, bytes);
}
cudaError_t cudaFreeHost(void* memory) {
    return release(memory);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t) {
    const cudaError_t error = begin_copy();
    if (error != cudaSuccess) return error;
    ++runtime().copies;
    std::memcpy(to, from, bytes);
    return error;
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind, cudaStream_t) {
    const cudaError_t error = begin_copy();
    if (width > to_pitch || width > from_pitch) return cudaErrorInvalidPitchValue;
    if (error != cudaSuccess) return error;
    ++runtime().copies;
    for (size_t i = 0; i < height; ++i) {
        std::memcpy(static_cast<char*>(to) + i * to_pitch,
                    static_cast<const char*>(from) + i * from_pitch, width);
    }
    return error;
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
    const cudaError_t error = answer();
    if (error == cudaSuccess) std::memset(memory, value, bytes);
    return error;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = reinterpret_cast<cudaStream_t>(new char);
    return answer();
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete reinterpret_cast<char*>(stream);
    return answer();
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return answer();
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
    return answer();
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
    *event = reinterpret_cast<cudaEvent_t>(new Clock::time_point);
    return answer();
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    return cudaEventCreate(event);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete reinterpret_cast<Clock::time_point*>(event);
    return answer();
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
    time_of(event) = Clock::now();
    return answer();
}
cudaError_t cudaEventQuery(cudaEvent_t) {
    return answer();
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t from, cudaEvent_t to) {
    *ms = std::chrono::duration<float, std::milli>(time_of(to) - time_of(from)).count();
    return answer();
}

}  // extern "C"

namespace fragmend::cuda {
namespace {

using kernels::Kernel;

struct RunGroup {
    const kernels::TaskGroup& group;
    const GroupArrays& arrays;

    template <Kernel kernel, unsigned K, unsigned M>
    void operator()() const {
        for (std::uint32_t tile = 0; tile < group.tiles; ++tile) {
            const std::uint32_t index =
                kernels::task_of_tile(arrays.first_tiles, group.task_count, tile);
            const kernels::DecodeTask& task = arrays.tasks[index];
            kernels::TaskView view;
            view.pointers = arrays.pointers + task.first_pointer;
            view.table = arrays.table + task.first_table_word;
            view.bytes = task.bytes;
            view.sources = task.sources;
            view.aligned = task.aligned;
            view.check = group.check;
            if (!reachable(view, M)) return;
            const std::uint64_t first =
                std::uint64_t{tile - arrays.first_tiles[index]} * group.tile_columns;
            const std::uint64_t all = kernels::columns(kernel, task.bytes);
            const std::uint64_t end = std::min(first + group.tile_columns, all);
            for (std::uint64_t column = first; column < end; ++column) {
                if (kernels::decode_column<kernel, K, M>(view, column))
                    arrays.differences[task.item] = 1;
            }
        }
    }

    static bool reachable(const kernels::TaskView& view, unsigned outputs) {
        for (unsigned p = 0; p < view.sources + outputs; ++p) {
            if (view.pointers[p] >= 4096) continue;
            const std::lock_guard lock(runtime().mutex);
            runtime().sticky = cudaErrorIllegalAddress;
            return false;
        }
        return true;
    }
};

}  // namespace

cudaError_t launch_group(const kernels::TaskGroup& group, const GroupArrays& arrays, unsigned,
                         cudaStream_t) {
    if (const cudaError_t error = answer(); error != cudaSuccess) return error;
    const RunGroup run{group, arrays};
    switch (group.kernel) {
        case Kernel::exclusive_or:
            kernels::with_instance<Kernel::exclusive_or>(group.sources, group.outputs, run);
            break;
        case Kernel::packets:
            kernels::with_instance<Kernel::packets>(group.sources, group.outputs, run);
            break;
        case Kernel::gf8:
            kernels::with_instance<Kernel::gf8>(group.sources, group.outputs, run);
            break;
        case Kernel::gf16:
            kernels::with_instance<Kernel::gf16>(group.sources, group.outputs, run);
            break;
        case Kernel::reference_gf8:
            kernels::with_instance<Kernel::reference_gf8>(group.sources, group.outputs, run);
            break;
        case Kernel::reference_gf16:
            kernels::with_instance<Kernel::reference_gf16>(group.sources, group.outputs, run);
            break;
    }
    return cudaSuccess;
}

cudaError_t load_code() {
    return runtime().has_code ? answer() : cudaErrorNoKernelImageForDevice;
}

cudaError_t launch_streams(const StreamArrays& arrays, cudaStream_t) {
    for (std::uint32_t i = 0; i < arrays.count; ++i) {
        const kernels::StreamTask& stream = arrays.streams[i];
        for (std::uint32_t p = 0; p < stream.part_count; ++p) {
            const kernels::StreamPart& part = arrays.parts[stream.first_part + p];
            kernels::md5_absorb(arrays.states[i],
                                reinterpret_cast<const std::uint8_t*>(part.address), part.bytes);
        }
    }
    return answer();
}

}  // namespace fragmend::cuda
