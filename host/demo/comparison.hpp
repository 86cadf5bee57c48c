// What is on a device beside what was there: names, bytes and metadata of every file of objects.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::demo {

inline constexpr std::size_t differences_kept_max = 50;

struct Comparison {
    std::uint64_t files = 0;  ///< That were there.
    std::uint64_t bytes = 0;
    std::uint64_t equal = 0;
    std::uint64_t missing = 0;
    std::uint64_t different = 0;
    std::uint64_t extra = 0;               ///< That were not there.
    std::vector<std::string> differences;  ///< A line each; the first `differences_kept_max`.

    bool is_equal() const { return equal == files && extra == 0; }
    /// Nothing is wrong with what is there, but not all of it is.
    bool is_part() const { return different == 0 && extra == 0; }
    void add(const Comparison& other);
};

/// Compares every file below `<was>/<data dir>` with the one of the same name below `<is>/...`,
/// byte by byte, and their metadata key by key; hashes and locks of partitions are left out.
/// Blocks. Errors: io, not_found; bad_metadata when what *was* there cannot be read.
Result<Comparison> compare_devices(const std::string& was, const std::string& is,
                                   const std::string& data_dir);

/// A device's files of objects as stat() sees them: whoever touches one is found.
using Census = std::map<std::string, std::string>;

/// Errors: io, not_found.
Result<Census> take_census(const std::string& device, const std::string& data_dir);

/// One line for each file that came, went or was written to.
std::vector<std::string> changes_between(const Census& before, const Census& after);

}  // namespace fragmend::demo
