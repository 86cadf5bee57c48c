// Whether a device comes back after a kernel died.
#pragma once

#include <functional>
#include <memory>

#include "kernels/api/engine.hpp"
#include "kernels/selftest/tally.hpp"

namespace fragmend::selftest {

using MakeEngine = std::function<kernels::Status(std::unique_ptr<kernels::Engine>&)>;

/// Lets a kernel read where nothing is, expects device_lost, and tries engines made afterwards. For
/// a device alone: on the CPU such a read ends the process.
void run_lost_device(const MakeEngine& make, Tally& tally);

}  // namespace fragmend::selftest
