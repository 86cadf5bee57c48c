// Rates of one device.
#pragma once

namespace fragmend::bench {

struct BenchOptions {
    bool json = false;     ///< A JSON object a line instead of a table.
    bool quick = false;    ///< Little data, few runs: for a look and for a trial without a device.
    bool profile = false;  ///< Few launches of the main kernels, for a profiler to look at.
    int seconds = 0;       ///< No new row after these; 0: no limit.
};

/// Runs all measurements on device 0, what matters most first, and prints a row at once. The exit
/// status: 0; 1 when a row is wrong or has no figure; 2 without a device.
int run_device_bench(const BenchOptions& options);

}  // namespace fragmend::bench
