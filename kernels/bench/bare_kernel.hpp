// The kernels by themselves: launched over one large batch in device memory, timed by the device.
#pragma once

#include <cuda_runtime.h>

#include "kernels/api/work_list.hpp"
#include "kernels/bench/work.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/owners.hpp"

namespace fragmend::bench {

/// What a launch may vary; the engine's choice is in kernels/cuda/tuning.hpp.
struct LaunchChoice {
    std::uint32_t tile_columns;
    unsigned blocks_a_multiprocessor;
};

LaunchChoice tuned_choice();

/// Batches much larger than the engine's, so that a launch fills the device many times over.
class BareKernel {
  public:
    static kernels::Limits limits();

    /// Errors: no_device, out_of_memory, device_error, device_lost.
    kernels::Status create();

    /// Seconds of one launch of the decodes of `work`, whose slab is in device memory.
    kernels::Status time_decode(Work& work, LaunchChoice choice, int launches, double& seconds);
    /// Seconds of one launch of the MD5s of `work`. Its states grow on the device alone.
    kernels::Status time_digests(Work& work, int launches, double& seconds);

  private:
    kernels::Status upload(Work& work, std::uint32_t tile_columns);
    template <class T>
    const T* pack(std::span<const T> array);

    kernels::WorkList list_{limits()};
    cuda::Stream stream_;
    cuda::DeviceBuffer control_;
    std::vector<std::uint8_t> mirror_;
    unsigned multiprocessors_ = 0;
    cuda::GroupArrays arrays_;
    cuda::StreamArrays streams_;
};

}  // namespace fragmend::bench
