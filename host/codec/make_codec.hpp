// The codec that this machine deserves.
#pragma once

#include <memory>

#include "host/codec/hybrid_codec.hpp"

namespace fragmend::codec {

/// The devices that this build can drive and this machine has. Loads the driver, so call it in the
/// process that computes, after any fork. `why_none`, unless null, is told when there are none.
std::vector<DeviceSource> device_sources(const kernels::Limits& limits, std::string* why_none);

/// Over all devices, where there are some, and the CPU. `clock` outlives it.
std::unique_ptr<scheduler::Codec> make_codec(CpuCodecOptions options, const Clock& clock);

}  // namespace fragmend::codec
