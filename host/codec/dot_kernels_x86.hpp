// The loops for x86-64 with SSSE3, with AVX2, and with GFNI and AVX-512.
#pragma once

#include "host/codec/dot_kernels.hpp"

namespace fragmend::codec {

/// Shuffles over nibble tables. Null when this CPU or this architecture has no SSSE3.
const DotKernels* ssse3_kernels();

/// The same on 32-byte vectors. Null without AVX2.
const DotKernels* avx2_kernels();

/// GF2P8AFFINEQB on 64-byte vectors. Null without GFNI, AVX-512F and AVX-512BW.
const DotKernels* gfni_kernels();

}  // namespace fragmend::codec
