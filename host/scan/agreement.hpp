// Whether partners' answers show that they lack nothing: what most answers of most passes show.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "host/swift/directory.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::scan {

/// The hashes of one device's partition, laid out for comparison with answers as they came: nothing
/// is built from an answer that agrees. Any thread.
class Agreement {
  public:
    /// `local` is copied. `local_index`: backend index of this device.
    Agreement(const swift::PartitionHashes& local, int local_index);

    /// True only if `answer`, the pickle of a REPLICATE answer, can be read and `suffix_delta` of
    /// it is empty. False also for what Swift would not write: whoever reads that in full then says
    /// what is the matter with it.
    bool holds(std::string_view answer, int remote_index) const;

  private:
    /// The two hashes of a suffix that count between two devices.
    struct Pair {
        swift::HashText none, own;
    };
    static constexpr std::size_t words = swift::suffixes_max / 64;
    /// The place of a suffix in `pairs_`; nothing when we do not have it.
    const Pair* find(std::size_t suffix) const;

    std::array<std::uint64_t, words> present_{};  ///< A bit for each suffix of ours.
    std::array<std::uint16_t, words> before_{};   ///< How many lie in earlier words.
    std::vector<Pair> pairs_;                     ///< In the order of suffixes.
    std::size_t counting_ = 0;                    ///< Those that have one of the two hashes.
};

}  // namespace fragmend::scan
