// The CUDA devices of this machine, for callers that know no CUDA.
#include "kernels/api/devices.hpp"

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/make_device_engine.hpp"

namespace fragmend::kernels {

Devices find_devices() {
    int count = 0;
    const Status status = cuda::to_status(cudaGetDeviceCount(&count));
    if (!status.ok()) return {0, std::string("no usable CUDA device: ") + status.detail};
    if (count == 0) return {0, "no CUDA device"};
    return {count, {}};
}

Status make_engine(int device, const Limits& limits, std::unique_ptr<Engine>& engine) {
    return cuda::make_device_engine(device, limits, engine);
}

}  // namespace fragmend::kernels
