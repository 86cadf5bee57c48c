// SIGHUP: the same process with a new configuration, and perhaps a new program.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "host/app/command_line.hpp"
#include "host/app/order_memory.hpp"
#include "host/base/log.hpp"

namespace fragmend::app {

/// What a child writes to `fd` until it closes it, up to a few KiB; false if that takes longer than
/// `limit`, or `gives_up` is true before. Blocks.
bool read_to_end(
    int fd, std::chrono::milliseconds limit, std::string& text,
    const std::function<bool()>& gives_up = [] { return false; });

/// Starts this program with our own arguments and `--check`, waits for it, and logs why it refuses.
/// True when the new configuration would start. Blocks for at most half a minute, and no longer
/// once `gives_up` is true, which nobody is told: not for a network thread.
bool check_configuration_again(const CommandLine& line, const Logger& log,
                               const std::function<bool()>& gives_up);

/// Becomes the program that the path we were started from holds now, with the same arguments and
/// process id. Everything but the standard streams and `orders` is closed by it, locks included. A
/// SIGHUP from here on waits until the new program listens (`hold_hangups`). Returns only when that
/// failed, with the reason logged.
void start_anew(const CommandLine& line, const OrderMemory& orders, const Logger& log);

}  // namespace fragmend::app
