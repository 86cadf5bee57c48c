// The options that may be changed while the reconstructor runs, by name.
#pragma once

#include <array>
#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/reconstructor_options.hpp"

namespace fragmend::swift {

/// Without the prefix `fragmend_` of the configuration file.
inline constexpr std::array<std::string_view, 7> throttle_option_names = {
    "device_read_limit", "device_send_limit", "node_read_limit", "node_send_limit",
    "profile",           "read_limit",        "send_limit"};

/// Sets one of them. Errors: bad_config, the detail says what the value must be, or that there is
/// no such option.
Result<void> set_throttle_option(ThrottleOptions& options, std::string_view name,
                                 std::string_view value);

}  // namespace fragmend::swift
