// The answer of a build without a device part.
#include "kernels/api/devices.hpp"

namespace fragmend::kernels {

Devices find_devices() {
    return {0, "built without CUDA"};
}

Status make_engine(int /*device*/, const Limits& /*limits*/, std::unique_ptr<Engine>& /*engine*/) {
    return {StatusCode::no_device, 0, "built without CUDA"};
}

}  // namespace fragmend::kernels
