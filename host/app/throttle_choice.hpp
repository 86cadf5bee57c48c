// The limits and the profile that the configuration asks for.
#pragma once

#include "host/swift/reconstructor_options.hpp"
#include "scheduler/throttle.hpp"

namespace fragmend::app {

/// `fragmend_*_limit` and `fragmend_profile` in the throttle's terms.
scheduler::ThrottleSettings throttle_settings(const swift::FragmendOptions& options);

}  // namespace fragmend::app
