// The hashes that count between two devices of a partition, laid out small.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/base/md5.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::scan {

/// Of each suffix the hash under one fragment index and the one under none; hashes under other
/// indexes never meet a partner's. It lives as long as its partition is worked on, so it takes 34
/// bytes a suffix; `PartitionHashes`, which it is made from, six times as much. Any thread.
class HashPairs {
  public:
    struct Pair {
        Md5Digest none{}, own{};
        bool has_none = false, has_own = false;
        bool counts() const { return has_none || has_own; }
        bool operator==(const Pair&) const = default;
    };

    HashPairs() = default;
    /// `index`: backend index of the device whose `hashes` these are.
    HashPairs(const swift::PartitionHashes& hashes, int index);

    /// How many suffixes it has.
    std::size_t size() const { return pairs_.size(); }
    /// Of these, how many have one of the two hashes.
    std::size_t counting() const { return counting_; }
    /// Of the suffix with that number; nothing when it is not there.
    const Pair* find(std::size_t suffix) const;

    bool operator==(const HashPairs&) const = default;

  private:
    static constexpr std::size_t words = swift::suffixes_max / 64;

    std::array<std::uint64_t, words> present_{};  ///< A bit for each suffix.
    std::array<std::uint16_t, words> before_{};   ///< How many lie in earlier words.
    std::vector<Pair> pairs_;                     ///< In the order of suffixes.
    std::size_t counting_ = 0;
};

}  // namespace fragmend::scan
