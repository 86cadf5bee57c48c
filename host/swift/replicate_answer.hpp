// The body of a REPLICATE answer: a partition's hashes as a pickle.
#pragma once

#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

/// Reads a peer's answer. Names that are no suffixes, and suffixes without usable hashes, are left
/// out: a missing suffix only means more to compare. Errors: bad_pickle.
/// Source: swift.obj.server.ObjectController.REPLICATE.
Result<PartitionHashes> parse_replicate_answer(std::string_view body);

/// The body that Swift would answer.
std::string dump_replicate_answer(const PartitionHashes& hashes,
                                  SuffixForm form = SuffixForm::by_index);

}  // namespace fragmend::swift
