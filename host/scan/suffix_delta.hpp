// Which suffixes two primaries of a partition disagree about.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/swift/hashes_types.hpp"

namespace fragmend::scan {

/// Local suffixes whose own-index hash differs from the partner's under the partner's index, or
/// whose metadata hash differs. What only the partner has is the partner's to push. Source:
/// swift.obj.reconstructor.ObjectReconstructor.get_suffix_delta.
std::vector<std::string> suffix_delta(const swift::PartitionHashes& local, int local_index,
                                      const swift::PartitionHashes& remote, int remote_index);

}  // namespace fragmend::scan
