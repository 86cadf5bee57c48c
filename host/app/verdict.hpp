// What became of a rebuilt cluster, for a person, a script and the shell. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/command_line.hpp"
#include "host/app/embedded_reconstructor.hpp"
#include "host/demo/comparison.hpp"

namespace fragmend::app {

enum class Verdict { as_it_was, different, incomplete, unrecoverable, stopped };

struct Findings {
    demo::Comparison lost;               ///< Wiped devices beside what was on them.
    std::vector<std::string> elsewhere;  ///< What changed on devices that were not wiped.
    std::uint64_t files_elsewhere = 0;
};

Verdict verdict_of(const RebuildRun& run, const Findings& findings);
ExitCode exit_code_of(Verdict verdict);
/// For a person.
std::string_view verdict_text(Verdict verdict);
/// For a script.
std::string_view verdict_name(Verdict verdict);

}  // namespace fragmend::app
