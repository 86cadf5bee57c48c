// `fragmend status`, `pause`, `resume` and `cancel`: asks every running process of this node.
#pragma once

#include <chrono>

#include "host/app/command_line.hpp"
#include "host/app/control_socket.hpp"

namespace fragmend::app {

/// Asks at the sockets beside the recon caches of the given configurations, or of all that Swift's
/// manager would find, and prints what they answer; on standard error, whom or what it could not
/// ask and why. Each process has `limit` to answer. The exit code: 6 when nobody answers, 4 when
/// one refuses.
int run_control_command(const CommandLine& line, std::chrono::milliseconds limit = control_limit);

struct ObjectServerConfs {
    std::vector<std::string> paths;
    std::vector<std::string> problems;  ///< Folders that cannot be read, with why.
};

/// The configurations below `swift_dir` for which Swift's manager starts a reconstructor.
/// Source: swift.common.manager.Server.conf_files.
ObjectServerConfs object_server_confs(const std::string& swift_dir);

}  // namespace fragmend::app
