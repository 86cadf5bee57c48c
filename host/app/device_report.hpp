// What a codec and its devices did, for people and for JSON.
#pragma once

#include <boost/json/array.hpp>
#include <span>
#include <string>
#include <vector>

#include "host/codec/hybrid_codec.hpp"

namespace fragmend::app {

/// As they are now; none of a codec that has no devices.
std::vector<codec::DeviceStatus> devices_of(const scheduler::Codec& codec);

/// What the CPU took for it until now.
scheduler::CodecTimes times_of(const scheduler::Codec& codec);

/// Who will decode: `NAME and CPU`, by the devices that are ready. Pure.
std::string decoders_ready(std::span<const codec::DeviceStatus> devices);
/// Who did decode, by the devices that finished anything. Pure.
std::string decoders_seen(std::span<const codec::DeviceStatus> devices);

boost::json::array devices_json(std::span<const codec::DeviceStatus> devices);

/// What somebody who asked for devices should know: those that failed, or did nothing at all. One
/// line each. Pure.
std::vector<std::string> device_warnings(std::span<const codec::DeviceStatus> devices);

}  // namespace fragmend::app
