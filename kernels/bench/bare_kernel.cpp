// One batch's arrays on the device, and launches over them.
#include "kernels/bench/bare_kernel.hpp"

#include <cstring>

#include "kernels/bench/timing.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/tuning.hpp"

namespace fragmend::bench {

using kernels::Status;
using kernels::StatusCode;

namespace {

constexpr std::size_t control_bytes = std::size_t{256} << 20;
constexpr std::size_t array_alignment = 256;

}  // namespace

LaunchChoice tuned_choice() {
    return {cuda::tuning::tile_columns, cuda::tuning::decode_blocks_a_multiprocessor};
}

kernels::Limits BareKernel::limits() {
    kernels::Limits limits;
    limits.batch_items_max = 1u << 16;
    limits.batch_sources_max = 10u << 16;
    limits.batch_outputs_max = 4u << 16;
    limits.batch_rows_max = 1;
    return limits;
}

Status BareKernel::create() {
    cudaDeviceProp properties{};
    FRAGMEND_CUDA_TRY(cudaGetDeviceProperties(&properties, 0));
    multiprocessors_ = static_cast<unsigned>(properties.multiProcessorCount);
    if (Status s = stream_.create(); !s.ok()) return s;
    return control_.create(control_bytes);
}

template <class T>
const T* BareKernel::pack(std::span<const T> array) {
    const std::size_t first =
        (mirror_.size() + array_alignment - 1) / array_alignment * array_alignment;
    mirror_.resize(first + array.size_bytes());
    if (!array.empty()) std::memcpy(mirror_.data() + first, array.data(), array.size_bytes());
    return reinterpret_cast<const T*>(control_.data() + first);
}

Status BareKernel::upload(Work& work, std::uint32_t tile_columns) {
    if (Status s = list_.list(work.items); !s.ok()) return s;
    if (Status s = list_.arrange(work.items, tile_columns); !s.ok()) return s;
    mirror_.clear();
    arrays_.pointers = pack(std::span<const std::uint64_t>(list_.pointers()));
    arrays_.table = pack(list_.table());
    arrays_.tasks = pack(list_.tasks());
    arrays_.first_tiles = pack(list_.first_tiles());
    arrays_.differences =
        const_cast<std::uint32_t*>(pack(std::span<const std::uint32_t>(list_.differences())));
    streams_.streams = pack(list_.streams());
    streams_.parts = pack(list_.parts());
    streams_.count = static_cast<std::uint32_t>(list_.streams().size());
    const std::vector<kernels::Md5State> states(list_.streams().size());
    streams_.states =
        const_cast<kernels::Md5State*>(pack(std::span<const kernels::Md5State>(states)));
    if (mirror_.size() > control_bytes) return {StatusCode::too_large, 0, "the bench's arrays"};
    FRAGMEND_CUDA_TRY(cudaMemcpyAsync(control_.data(), mirror_.data(), mirror_.size(),
                                      cudaMemcpyHostToDevice, stream_.get()));
    FRAGMEND_CUDA_TRY(cudaStreamSynchronize(stream_.get()));
    return {};
}

Status BareKernel::time_decode(Work& work, LaunchChoice choice, int launches, double& seconds) {
    if (Status s = upload(work, choice.tile_columns); !s.ok()) return s;
    if (list_.groups().size() != 1) return {StatusCode::bad_item, 0, "not one kernel"};
    const kernels::TaskGroup group = list_.groups().front();
    const unsigned blocks_max = multiprocessors_ * choice.blocks_a_multiprocessor;
    const auto launch = [&] {
        return cuda::launch_group(group, arrays_, blocks_max, stream_.get());
    };
    return median_seconds(stream_.get(), launches, launch, seconds);
}

Status BareKernel::time_digests(Work& work, int launches, double& seconds) {
    if (Status s = upload(work, cuda::tuning::tile_columns); !s.ok()) return s;
    const auto launch = [&] { return cuda::launch_streams(streams_, stream_.get()); };
    return median_seconds(stream_.get(), launches, launch, seconds);
}

}  // namespace fragmend::bench
