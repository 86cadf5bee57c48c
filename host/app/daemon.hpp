// `fragmend reconstructor`: from the command line to the exit code.
#pragma once

#include "host/app/command_line.hpp"

namespace fragmend::app {

/// Starts the reconstructor in this process, or workers under it, and runs it to its end; a SIGHUP
/// does not return but starts the program anew. Source: swift.common.daemon.run_daemon.
int run_reconstructor(const CommandLine& line);

}  // namespace fragmend::app
