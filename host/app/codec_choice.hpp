// Which codec the configuration asks for.
#pragma once

#include "host/codec/cpu_codec.hpp"
#include "host/swift/reconstructor_options.hpp"

namespace fragmend::app {

/// `fragmend_codec` and Swift's `write_legacy_ec_crc` in the codec's terms; where the latter is not
/// set, the environment decides as it does for liberasurecode.
codec::CpuCodecOptions codec_options(const swift::ReconstructorOptions& options, const Logger& log);

}  // namespace fragmend::app
