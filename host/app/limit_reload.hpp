// What a new configuration changes: only limits, which may change while running, or more.
#pragma once

#include <string>

#include "host/app/command_line.hpp"

namespace fragmend::app {

/// All that the configuration of `line` says and that only a new start takes over: the section
/// without the options of swift::throttle_option_names, and swift.conf as it stands. Two equal
/// texts are two equal configurations. Blocks; any thread. Errors: not_found, bad_config, io.
Result<std::string> lasting_configuration(const CommandLine& line);

}  // namespace fragmend::app
