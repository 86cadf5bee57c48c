// The limits and the profile that the configuration asks for.
#pragma once

#include "host/app/control_request.hpp"
#include "host/app/worker_plan.hpp"
#include "host/swift/reconstructor_options.hpp"
#include "scheduler/throttle.hpp"

namespace fragmend::app {

/// `fragmend_*_limit` and `fragmend_profile` in the throttle's terms. The limits are those of the
/// node: each worker gets its part of them.
scheduler::ThrottleSettings throttle_settings(const swift::ThrottleOptions& options,
                                              const Share& share);

/// The limits after a `limit` request: those that hold now, or the configured ones when it asks for
/// them, with what it sets. Errors: bad_config, names the option.
Result<swift::ThrottleOptions> changed_limits(const ControlRequest& request,
                                              const swift::ThrottleOptions& now,
                                              const swift::ThrottleOptions& configured);

}  // namespace fragmend::app
