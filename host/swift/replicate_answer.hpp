// The body of a peer's answer to REPLICATE: its suffix hashes of one partition.
#pragma once

#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

/// Reads the pickled dict of suffix to {fragment index or None: MD5}. Every key and value is checked: the
/// peer's bytes decide what is sent, never what is kept.
/// Errors: bad_pickle. Source: swift.obj.server.ObjectController.REPLICATE.
Result<PartitionHashes> parse_replicate_answer(std::string_view body);

}  // namespace fragmend::swift
