// `fragmend bench rebuild`: whole rebuilds in an embedded cluster, round after round.
#pragma once

#include <iosfwd>
#include <span>
#include <string_view>

#include "host/base/clock.hpp"

namespace fragmend::app {

/// Parses the words after `fragmend bench` and runs it. Returns the exit code; the table or its
/// JSON on `out`, what kept it from being measured on `err`.
int run_bench_command(std::span<const std::string_view> words, const Clock& clock,
                      std::ostream& out, std::ostream& err);

}  // namespace fragmend::app
