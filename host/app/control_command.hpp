// `fragmend status`, `pause`, `resume` and `cancel`: asks every running process of this node.
#pragma once

#include "host/app/command_line.hpp"

namespace fragmend::app {

/// Asks at the sockets beside the recon caches of the given configurations, or of all that Swift's
/// manager would find, and prints what they answer. The exit code: 6 when nobody answers.
int run_control_command(const CommandLine& line);

/// The configurations below `swift_dir` for which Swift's manager starts a reconstructor.
/// Source: swift.common.manager.Server.conf_files.
std::vector<std::string> object_server_confs(const std::string& swift_dir);

}  // namespace fragmend::app
