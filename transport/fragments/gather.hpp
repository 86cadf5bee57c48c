// Gathering the survivors of one object: drives a GatherDecision over pooled connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/base/async.hpp"
#include "host/base/log.hpp"
#include "transport/fragments/gather_request.hpp"
#include "transport/fragments/survivor.hpp"
#include "transport/http/client.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::fragments {

/// How patient a gathering is.
struct GatherLimits {
    Timeouts timeouts;
    /// After this long without enough answers one more candidate is asked, and again; zero: never.
    std::chrono::milliseconds hedge_delay{1000};
};

/// One member of a set that determines the wanted fragment.
struct GatheredSource {
    std::uint8_t index = 0;
    std::unique_ptr<Survivor> survivor;  ///< Nothing: the local fragment of the request.
};

/// Opens a set of survivors that `request.choose` accepts, in its order, all of the request's data
/// timestamp and object Etag. A survivor that later turns out bad is replaced by gathering again
/// without it. `client` outlives the survivors; the call leaves no request of its own behind.
/// Errors: too_few_fragments (logged in Swift's words), cancelled (the caller was hurried).
Awaitable<Result<std::vector<GatheredSource>>> gather(http::Client& client, GatherRequest request,
                                                      GatherLimits limits, Logger logger);

}  // namespace fragmend::transport::fragments
