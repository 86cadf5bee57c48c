// Which devices this program can drive: answered by kernels/cuda, or by nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/api/engine.hpp"

namespace fragmend::kernels {

/// How many devices there are, and why there are none.
struct Devices {
    int count = 0;
    std::string why_none;  ///< One line for a person; empty when there is one.
};

/// Looks at this machine. Loads a driver and, with CUDA, must not be called before a fork whose
/// child computes.
Devices find_devices();

/// Makes an engine on device `device` in [0, count).
/// Errors: no_device, out_of_memory, device_error, device_lost; `engine` then stays as it was.
Status make_engine(int device, const Limits& limits, std::unique_ptr<Engine>& engine);

}  // namespace fragmend::kernels
