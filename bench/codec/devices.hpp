// The whole codec on devices beside all cores of the same machine.
#pragma once

#include "bench/codec/report.hpp"

namespace fragmend::bench {

/// Headers, decode and cross-check of batches in host memory, without and with the survivors' MD5s,
/// for each field: one and several batches in flight on a device, then one CPU thread and all of
/// them. Wall time. Then what the router of a fresh codec expects of both.
/// Returns false, having said why, when there is no device; the CPU's lines are there all the same.
bool run_devices(int pass_ms, Report& report);

}  // namespace fragmend::bench
