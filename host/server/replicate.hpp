// REPLICATE: the hashes of a partition, or suffixes that are no longer to be trusted.
#pragma once

#include "host/server/backend_request.hpp"

namespace fragmend::server {

/// Blocks; runs on a disk thread. Without suffixes the partition's hashes as a pickle, brought up
/// to date first; with suffixes these are only noted as invalid, and the answer is None. A
/// partition that does not exist has no hashes and is not made. Source:
/// swift.obj.server.ObjectController.REPLICATE, diskfile.BaseDiskFileManager.get_hashes.
Reply answer_replicate(const BackendRequest& request);

}  // namespace fragmend::server
