// `fragmend demo`: a cluster in this process loses devices and gets them back.
#pragma once

#include <functional>
#include <iosfwd>
#include <span>
#include <string_view>

#include "host/base/clock.hpp"
#include "host/demo/cluster.hpp"

namespace fragmend::app {

/// What a test does to the cluster after the rebuild and before the comparison.
using BeforeComparison = std::function<void(const demo::Cluster&)>;

/// Parses the words after `fragmend demo` and runs it. Returns the exit code; the story or its JSON
/// on `out`, what kept it from being told on `err`.
int run_demo_command(std::span<const std::string_view> words, const Clock& clock, std::ostream& out,
                     std::ostream& err, const BeforeComparison& before_comparison = {});

}  // namespace fragmend::app
