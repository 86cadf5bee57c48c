// What a pass prints when it is over: for a person, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "host/sync/pass_stats.hpp"

namespace fragmend::app {

/// Some twelve lines; every number with its unit.
std::string summary_text(const sync::PassStats& stats, double seconds);
/// One JSON object, keys sorted, on one line.
std::string summary_json(const sync::PassStats& stats, double seconds);
/// One JSON object out of those of several workers: numbers are added, lists joined, the seconds
/// are those of the slowest, and whatever is true for one is true. What is no JSON object is left
/// out.
std::string merge_summaries(const std::vector<std::string>& summaries);
/// The line below the log while a pass runs: partitions, fragments, bytes, rate, time left as a
/// range.
std::string progress_line(const sync::PassStats& stats, double seconds,
                          double recent_partitions_per_s);
/// What fits into a window of so many columns; 0 for no limit. Cut between UTF-8 characters.
std::string fit_to_columns(std::string text, std::size_t columns);
/// `1.5 GiB`, `17 bytes`.
std::string human_bytes(std::uint64_t bytes);
/// `42 s`, `7 min 05 s`, `3 h 20 min`.
std::string human_seconds(double seconds);

}  // namespace fragmend::app
