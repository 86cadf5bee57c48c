// `fragmend codec list`, `check` and `bench`: what this machine can do, truly, and how fast.
#pragma once

#include <iosfwd>

#include "host/app/codec_command_line.hpp"
#include "host/base/clock.hpp"

namespace fragmend::app {

/// Each returns its exit code; results on `out`, what went wrong on `err`, a line each.
int run_codec_list(const CodecLine& line, const Clock& clock, std::ostream& out);
int run_codec_check(const CodecLine& line, const Clock& clock, std::ostream& out,
                    std::ostream& err);
int run_codec_bench(const CodecLine& line, const Clock& clock, std::ostream& out);

/// Parses the words after `fragmend codec` and runs what they ask for.
int run_codec_command(std::span<const std::string_view> words, const Clock& clock,
                      std::ostream& out, std::ostream& err);

}  // namespace fragmend::app
