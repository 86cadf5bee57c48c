// The command line: which subcommand, with which options. Pure: text in, a value or a message out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/control_request.hpp"
#include "host/base/error.hpp"

namespace fragmend::app {

enum class ExitCode : int {
    done = 0,
    internal_error = 1,
    usage = 2,
    work_remains = 3,
    refused = 4,
    unrecoverable_objects = 5,
    daemon_not_reachable = 6,
};

enum class Subcommand { help, version, info, codec, control, reconstructor, server, demo, bench };
enum class ProgressMode { automatic, always, never };

/// Options of `fragmend reconstructor`, and of the drop-in name.
struct CommandLine {
    Subcommand subcommand = Subcommand::help;
    bool drop_in =
        false;  ///< Started as swift-object-reconstructor: Swift's messages and exit codes.
    std::string help_topic;
    std::string conf_path;
    std::vector<std::string> conf_paths;  ///< Of the commands that ask running processes.
    ControlRequest request;               ///< What they are asked.
    bool once = false;
    bool verbose = false;
    bool check = false;  ///< Read everything, say what is wrong, do nothing.
    bool json = false;
    ProgressMode progress = ProgressMode::automatic;
    std::vector<std::string> devices;       ///< -d; empty means all.
    std::vector<std::uint64_t> partitions;  ///< -p; empty means all.
    std::string swift_conf = "/etc/swift/swift.conf";
    std::vector<std::string_view> words;  ///< Of `codec`, `demo` and `bench`, which parse them.
    // For starting anew.
    std::vector<std::string> arguments;  ///< As given, program name first.
    std::string program_path;            ///< Absolute.
    std::string start_directory;
};

/// What to print and the status to exit with.
struct UsageError {
    std::string message;
    int exit_code = static_cast<int>(ExitCode::usage);
    bool to_stdout =
        false;  ///< Swift prints its usage errors there; the drop-in name does the same.
};

/// Parses `arguments` (argv, program name first).
/// Source: swift.common.utils.parse_options for the drop-in name and the reconstructor's options.
boost::system::result<CommandLine, UsageError> parse_command_line(
    std::span<const std::string_view> arguments);

/// Help of the program, or of a subcommand.
std::string help_text(const CommandLine& line);

[[noreturn]] void throw_exception_from_error(const UsageError& error,
                                             const boost::source_location&);

}  // namespace fragmend::app
