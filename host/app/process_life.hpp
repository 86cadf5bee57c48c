// What a Swift daemon does to its own process: user, niceness, session, notification.
#pragma once

#include <optional>
#include <string>

#include "host/base/error.hpp"

namespace fragmend::app {

/// Becomes `user` when started as root, with its groups; when not root, only checks that we already
/// are. Errors: bad_config (no such user), io (refused). Source:
/// swift.common.utils.drop_privileges.
Result<void> drop_privileges(const std::string& user);

/// Source: swift.common.utils.modify_priority. Errors: io.
Result<void> set_nice(int priority);
/// `io_class`: 1 real time, 2 best effort, 3 idle. Errors: io.
Result<void> set_ionice(int io_class, int level);

/// Own session, `/` as working directory, umask 022, UTC: what the files we write depend on; and no
/// SIGPIPE.
void settle_process();

/// Tells the service manager in $NOTIFY_SOCKET, if any, and forgets the variable after READY=1.
void notify_service_manager(const std::string& state);

/// Lifts the limit of open files to the hard limit: a session holds k sockets an object.
void raise_file_limit();

}  // namespace fragmend::app
