// How long requests take, for the operator's dashboards.
#pragma once

#include <chrono>
#include <string_view>

#include "host/base/metrics.hpp"

namespace fragmend::server {

/// `<METHOD>.timing`, or `<METHOD>.errors.timing` for an answer that is the server's own fault.
/// Nothing without an answer, or where nobody listens. Source: swift.common.utils.timing_stats.
void time_request(Metrics* metrics, std::string_view method, int status,
                  std::chrono::duration<double> length);

}  // namespace fragmend::server
