// Rates of one device.
#pragma once

namespace fragmend::bench {

/// Runs all measurements on device 0 and prints them, a table or JSON. The exit status: 0; 1 after
/// an error; 2 without a device.
int run_device_bench(bool json);

}  // namespace fragmend::bench
