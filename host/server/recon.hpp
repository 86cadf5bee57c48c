// The paths that Swift's monitoring asks a storage node for.
#pragma once

#include <string>

#include "host/server/backend_request.hpp"
#include "host/server/server_options.hpp"

namespace fragmend::server {

/// `OK`, or 503 while the file of `disable_path` is there. Blocks.
/// Source: swift.common.middleware.healthcheck.
Reply answer_healthcheck(const ServerOptions& options);

/// JSON about this node for `swift-recon`. Blocks. Source: swift.common.middleware.recon.
Reply answer_recon(const std::string& path, const ServerOptions& options,
                   const PolicyStores& stores, const Clock& clock);

}  // namespace fragmend::server
