// Which suffixes two primaries of a partition disagree about.
#pragma once

#include <vector>

#include "host/scan/hash_pairs.hpp"
#include "host/swift/suffix_name.hpp"

namespace fragmend::scan {

/// Local suffixes whose own-index hash differs from the partner's under the partner's index, or
/// whose metadata hash differs. What only the partner has is the partner's to push. Source:
/// swift.obj.reconstructor.ObjectReconstructor.get_suffix_delta.
std::vector<swift::SuffixName> suffix_delta(const HashPairs& local, const HashPairs& remote);

}  // namespace fragmend::scan
