// The whole codec on devices beside all cores of the same machine.
#pragma once

#include "bench/codec/report.hpp"

namespace fragmend::bench {

/// Survivors' MD5s, headers, decode and cross-check of batches in host memory, for each field: one
/// and several batches in flight on a device, then one CPU thread and all of them. Wall time.
/// Returns false, having said why, when there is no device; the CPU's lines are there all the same.
bool run_devices(int pass_ms, Report& report);

}  // namespace fragmend::bench
