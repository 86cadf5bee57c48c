// What the codec bench found, as a table and as JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/codec/measure.hpp"

namespace fragmend::bench {

/// One rate by itself.
struct Line {
    std::string what;
    std::string scheme;
    std::size_t fragment_bytes = 0;
    bool cold = false;    ///< Every fragment comes from memory, not from a cache.
    double gb_per_s = 0;  ///< Survivor bytes read.
};

/// One rate beside a rival's on the same bytes, and the ratio that is asked for (0: none).
struct Contest {
    std::string ours;
    std::string rival;
    std::string scheme;
    std::size_t fragment_bytes = 0;
    Duel result;
    double target = 0;
};

class Report {
  public:
    void add(Line line);
    void add(Contest contest);
    /// Contests below their target.
    int missed() const;
    /// Errors: an exception when the file cannot be written.
    void write_json(const std::string& path, const std::string& command) const;

  private:
    std::vector<Line> lines_;
    std::vector<Contest> contests_;
};

std::string cpu_name();

}  // namespace fragmend::bench
