// The command lines of `fragmend demo` and `fragmend bench rebuild`. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/codec_command_line.hpp"
#include "host/demo/sample_objects.hpp"

namespace fragmend::app {

/// What both commands take: a cluster, what is in it, what is lost, and how the result is told.
struct EmbeddedLine {
    bool is_bench = false;
    bool wants_help = false;

    std::string ec_type;  ///< Empty: the first that this machine has.
    int k = 4;
    int m = 2;
    int devices = 0;  ///< 0: eight, or as many as the policy needs.
    int servers = 4;
    int part_power = 5;
    std::size_t objects = 0;
    std::vector<demo::SizeRange> sizes;
    int wipe = 1;
    std::uint64_t seed = 1;

    Backend backend = Backend::automatic;
    bool fsync = true;
    std::chrono::microseconds delay{};
    int rounds = 1;

    std::string dir;  ///< Empty: a temporary folder.
    bool keep = false;
    bool json = false;
    std::string out;  ///< Where the bench leaves its JSON; empty for nowhere.
    bool verbose = false;
    ProgressMode progress = ProgressMode::automatic;
    std::string command;  ///< As given, without the folders of this machine.
};

/// Parses the words after `fragmend demo`, or after `fragmend bench`.
boost::system::result<EmbeddedLine, UsageError> parse_demo_line(
    std::span<const std::string_view> words);
boost::system::result<EmbeddedLine, UsageError> parse_bench_line(
    std::span<const std::string_view> words);

std::string embedded_help_text(bool is_bench);

}  // namespace fragmend::app
