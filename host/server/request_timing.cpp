// Names of timings.
#include "host/server/request_timing.hpp"

#include <string>

namespace fragmend::server {

void time_request(Metrics* metrics, std::string_view method, int status,
                  std::chrono::duration<double> length) {
    if (metrics == nullptr || status == 0) return;
    const bool is_own_fault = status >= 500;
    metrics->timing(std::string(method) + (is_own_fault ? ".errors.timing" : ".timing"), length);
}

}  // namespace fragmend::server
