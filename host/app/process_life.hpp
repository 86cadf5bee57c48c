// What a Swift daemon does to its own process: user, niceness, session, notification.
#pragma once

#include <optional>
#include <string>

#include "host/base/error.hpp"
#include "host/base/log.hpp"
#include "host/swift/reconstructor_options.hpp"

namespace fragmend::app {

/// Becomes `user` when started as root, with its groups; when not root, only checks that we already
/// are. Errors: bad_config (no such user), io (refused). Source:
/// swift.common.utils.drop_privileges.
Result<void> drop_privileges(const std::string& user);

/// Niceness and I/O class of the options; what the system refuses is logged and no reason to stop.
/// Before any thread starts: both belong to threads and are inherited.
/// Source: swift.common.utils.modify_priority.
void apply_priorities(const swift::ReconstructorOptions& options, const Logger& log);

/// Own session, `/` as working directory, umask 022, UTC: what the files we write depend on; no
/// SIGPIPE and no SIGXFSZ: both are errors of the calls that meet them.
void settle_process();

/// Points the standard streams that are not kept at /dev/null, as Swift's daemons do: whoever
/// started us and reads our output to its end (Swift's manager does) may go on.
/// Source: swift.common.utils.capture_stdio.
void leave_standard_streams(bool keep_output, bool keep_error);

/// SIGHUP asks a daemon to look at its configuration, which it can only once it listens; the
/// default action would kill it before, after, and in between when it starts anew. So SIGHUP is
/// blocked in `main` before any thread starts, and let in, into the calling thread alone, while
/// there is somebody to take it. What waits meanwhile is not lost, not even over an exec.
void hold_hangups();
void accept_hangups();

/// Whether a blocked `signal` waits for this process.
bool is_pending(int signal);
/// The same for the signals that end it, SIGTERM and SIGINT.
bool is_end_pending();
/// What the log says of a process that `signal` ends.
std::string end_line(int signal);

/// Tells the service manager in $NOTIFY_SOCKET, if any, and forgets the variable after READY=1.
void notify_service_manager(const std::string& state);

/// Lifts the limit of open files to the hard limit: a session holds k sockets an object.
void raise_file_limit();

}  // namespace fragmend::app
