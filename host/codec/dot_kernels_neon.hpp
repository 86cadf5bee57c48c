// The loops for 64-bit ARM.
#pragma once

#include "host/codec/dot_kernels.hpp"

namespace fragmend::codec {

/// Null on other architectures.
const DotKernels* neon_kernels();

}  // namespace fragmend::codec
