// What was measured, a line each: a table for people or JSON, and out at once, so that a bench that
// is ended from outside leaves what it found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fragmend::bench {

struct Row {
    std::string scheme;  ///< As `isa_l_rs_cauchy 10+4`.
    std::string kernel;  ///< The one that ran: see `kernels::Kernel`.
    std::string where;   ///< What was measured; see bench/gpu/README.md.
    unsigned lost = 0;
    std::size_t fragment_bytes = 0;
    std::size_t bytes_in = 0;   ///< Sources of one run.
    std::size_t bytes_out = 0;  ///< Outputs of one run, where they pass what bounds it; else 0.
    double seconds = 0;         ///< Of one run.
    double limit = 0;           ///< Bytes a second of the copy that bounds it, moving the same way.
    std::vector<std::pair<const char*, double>> more;  ///< Whatever else belongs to this row.
    std::optional<std::uint64_t> wrong;                ///< The first output byte that is wrong.
    std::string error;                                 ///< Why there is no figure.
};

class Report {
  public:
    explicit Report(bool json) : json_(json) {}
    void add(const Row& row);
    /// A fact that is no row.
    void say(const char* name, const std::string& value) const;
    void say(const char* name, double value) const;
    /// Rows with a wrong byte or without a figure.
    unsigned bad() const { return bad_; }

  private:
    void add_json(const Row& row) const;

    bool json_;
    unsigned bad_ = 0;
};

}  // namespace fragmend::bench
