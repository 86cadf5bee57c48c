// fragmend: the program.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <vector>

#include "host/app/codec_survey.hpp"
#include "host/app/command_line.hpp"
#include "host/app/control_command.hpp"
#include "host/app/daemon.hpp"
#include "host/app/demo_command.hpp"
#include "host/app/info.hpp"
#include "host/app/rebuild_bench.hpp"
#include "host/app/server_process.hpp"

namespace {

using namespace fragmend::app;

/// What starting anew needs to know: the words as given, and where from.
void remember_start(CommandLine& line, const std::vector<std::string_view>& arguments) {
    std::error_code ignored;
    line.arguments.assign(arguments.begin(), arguments.end());
    line.program_path = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    line.start_directory = std::filesystem::current_path(ignored).string();
}

int start_server(const CommandLine& line) {
    auto made = ServerProcess::make(line);
    if (made.has_value()) return made.value()->run();
    std::cerr << "fragmend: " << made.error().detail << std::endl;
    return static_cast<int>(ExitCode::usage);
}

}  // namespace

int main(int argc, char** argv) try {
    const std::vector<std::string_view> arguments(argv, argv + argc);
    auto line = parse_command_line(arguments);
    if (line.has_error()) {
        (line.error().to_stdout ? std::cout : std::cerr) << line.error().message << std::flush;
        return line.error().exit_code;
    }
    switch (line->subcommand) {
        case Subcommand::help:
            std::cout << help_text(*line) << std::flush;
            return 0;
        case Subcommand::version:
            std::cout << "fragmend " FRAGMEND_VERSION << std::endl;
            return 0;
        case Subcommand::info:
            std::cout << info_text() << std::flush;
            return 0;
        case Subcommand::codec:
            return run_codec_command(line->words, fragmend::SystemClock(), std::cout, std::cerr);
        case Subcommand::demo:
            return run_demo_command(line->words, fragmend::SystemClock(), std::cout, std::cerr);
        case Subcommand::bench:
            return run_bench_command(line->words, fragmend::SystemClock(), std::cout, std::cerr);
        case Subcommand::reconstructor:
            remember_start(*line, arguments);
            return run_reconstructor(*line);
        case Subcommand::server:
            return start_server(*line);
        case Subcommand::control:
            return run_control_command(*line);
    }
    return 0;
} catch (const std::exception& failure) {
    std::cerr << "fragmend: " << failure.what() << std::endl;
    return static_cast<int>(fragmend::app::ExitCode::internal_error);
}
