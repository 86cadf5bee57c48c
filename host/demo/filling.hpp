// Writes objects to the devices of an embedded cluster, as Swift's proxy and object servers would.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "host/demo/cluster.hpp"
#include "host/demo/sample_objects.hpp"

namespace fragmend::demo {

struct FillReport {
    std::uint64_t files = 0;          ///< `.data`, `.meta` and `.ts` that are there.
    std::uint64_t archive_bytes = 0;  ///< Of all `.data` that were written.
};

/// Encodes every object with the installed liberasurecode and puts each fragment archive on its
/// primary with Swift's metadata, then what was posted or deleted. Nothing is synced on the way.
/// Blocks; works on `threads` threads; stops early when `stop` becomes true; `written` counts the
/// objects that are there, for whoever watches.
/// Errors: unsupported_scheme, no_space, io, cancelled.
/// Source: swift.proxy.controllers.obj.ECObjectController, swift.obj.server.ObjectController.PUT.
Result<FillReport> fill_cluster(const Cluster& cluster, const std::vector<SampleObject>& objects,
                                unsigned threads, const std::atomic<bool>& stop,
                                std::atomic<std::uint64_t>& written);

}  // namespace fragmend::demo
