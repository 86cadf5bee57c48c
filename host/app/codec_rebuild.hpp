// `fragmend codec rebuild`: archive files in, an archive file out.
#pragma once

#include <iosfwd>

#include "host/app/codec_command_line.hpp"
#include "host/base/clock.hpp"

namespace fragmend::app {

/// Runs it; the report on `out`, what was left out and what went wrong on `err`, a line each. OUT
/// appears whole or not at all. Returns the exit code.
int run_codec_rebuild(const CodecLine& line, const Clock& clock, std::ostream& out,
                      std::ostream& err);

}  // namespace fragmend::app
