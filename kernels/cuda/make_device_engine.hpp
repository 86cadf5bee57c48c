// The one header of the device part that needs no CUDA toolkit to be read.
#pragma once

#include <memory>

#include "kernels/api/engine.hpp"

namespace fragmend::cuda {

/// Makes an engine on device `device` (0-based, as the CUDA runtime counts).
/// Errors: no_device, out_of_memory, device_error, device_lost; `engine` then stays as it was.
kernels::Status make_device_engine(int device, const kernels::Limits& limits,
                                   std::unique_ptr<kernels::Engine>& engine);

}  // namespace fragmend::cuda
