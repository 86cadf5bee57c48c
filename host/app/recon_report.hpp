// What the reconstructor tells the recon cache: after a pass, and for all workers together.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "host/swift/recon_cache.hpp"

namespace fragmend::app {

/// The end of one pass.
struct PassReport {
    double minutes = 0;
    double finished_s = 0;             ///< Wall time, seconds since the epoch.
    std::vector<std::string> devices;  ///< That the pass covered.
};

/// Of a process that does all the work: the two scalars, and no numbers by device any more.
/// Source: swift.obj.reconstructor.ObjectReconstructor.final_recon_dump.
swift::ReconUpdate report_of_single_process(const PassReport& report);

/// Of a worker: an entry for each of its devices. Without devices there is nothing to tell but the
/// two scalars, as in Swift.
swift::ReconUpdate report_of_worker(const PassReport& report, int pid);

/// Of the parent of all workers: once every local device has an entry, the time from the first
/// start to the last finish; and the entries of devices that left go away.
/// Source: swift.obj.reconstructor.ObjectReconstructor.aggregate_recon_update.
swift::ReconUpdate aggregate_reports(const swift::JsonMembers& cache,
                                     const std::set<std::string>& local_devices, double now_s);

}  // namespace fragmend::app
