// Whether partners' answers show that they lack nothing: what most answers of most passes show.
#pragma once

#include <string_view>

#include "host/scan/hash_pairs.hpp"

namespace fragmend::scan {

/// Compares hashes with answers as they came: nothing is built from an answer that agrees. Any
/// thread.
class Agreement {
  public:
    /// `local` outlives it.
    explicit Agreement(const HashPairs& local) : local_(local) {}
    explicit Agreement(HashPairs&&) = delete;

    /// True only if `answer`, the pickle of a REPLICATE answer, can be read and `suffix_delta` of
    /// it is empty. False also for what Swift would not write: whoever reads that in full then says
    /// what is the matter with it.
    bool holds(std::string_view answer, int remote_index) const;

  private:
    const HashPairs& local_;
};

}  // namespace fragmend::scan
