// What rounds of rebuilds took: as a table, and as JSON with everything needed to judge or repeat.
#pragma once

#include <algorithm>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "host/app/embedded_run.hpp"
#include "host/demo/plain_writer.hpp"

namespace fragmend::app {

/// One rebuild, and the same files written plainly right after it.
struct BenchRound {
    RebuildRun rebuild;
    Verdict verdict = Verdict::stopped;
    demo::PlainReport plain_one;   ///< On one thread.
    demo::PlainReport plain_many;  ///< On as many as a server has disk threads.

    double plain_best_s() const { return std::min(plain_one.seconds, plain_many.seconds); }
    /// How many times as long as the faster plain writer.
    double ratio() const;
};

/// A row of the table; and what stands above the rows.
std::string bench_row(const std::string& label, const BenchRound& round);
std::string bench_heading(unsigned plain_threads);

/// The whole result. Blocks: reads what machine this is.
boost::json::object bench_json(const EmbeddedLine& line, const EmbeddedRun& run,
                               const std::vector<BenchRound>& rounds, unsigned plain_threads,
                               const Timestamp& now);

/// This machine, what it decodes with, and its load now. Blocks.
boost::json::object machine_json();

/// One member a line, and one round, so that a result can be read and compared.
std::string bench_file_text(const boost::json::object& result);

/// `ext4`, or the number of a kind of file system without a name here.
std::string file_system_of(const std::string& path);

}  // namespace fragmend::app
