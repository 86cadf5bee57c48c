// The command line of `fragmend codec`. Pure: text in, a value or a message out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/codec/archive_rebuild.hpp"

namespace fragmend::app {

enum class CodecAction { help, list, check, bench, rebuild };

/// Who computes.
enum class Backend {
    automatic,       ///< Devices and the CPU, whichever is expected to be sooner.
    cpu,             ///< Our matrices on CPU threads.
    gpu,             ///< A device for everything that it takes.
    liberasurecode,  ///< The installed library.
};

/// `10+4` as data and parity fragments. Errors: a line that says what was expected.
boost::system::result<std::pair<int, int>, std::string> parse_policy(std::string_view text);
/// The value of `--backend`. Errors: the same.
boost::system::result<Backend, std::string> parse_backend(std::string_view text);

struct CodecLine {
    CodecAction action = CodecAction::help;
    std::string help_topic;
    bool json = false;
    Backend backend = Backend::automatic;
    /// check: only this scheme; rebuild: the archives' scheme.
    std::optional<codec::EcScheme> scheme;
    std::optional<std::uint64_t> segment_bytes;
    std::uint8_t index = 0;
    std::string output;
    bool force = false;
    std::vector<std::string> archives;
    int pass_ms = 100;  ///< bench: about this long for each figure.
};

/// Parses the words after `fragmend codec`.
boost::system::result<CodecLine, UsageError> parse_codec_line(
    std::span<const std::string_view> words);

std::string codec_help_text(std::string_view topic);

}  // namespace fragmend::app
