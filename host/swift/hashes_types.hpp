// The suffix hashes of one partition, as hashes.pkl and the REPLICATE answer hold them.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace fragmend::swift {

/// Hashes of one suffix: fragment index to MD5 hex; no index is Swift's `None` key, which covers
/// tombstones, metadata and durability. Empty when nothing countable lies in the suffix.
/// Source: swift.obj.diskfile.ECDiskFileManager._hash_suffix.
using SuffixHash = std::map<std::optional<int>, std::string>;

/// Suffix (three lower-case hex digits) to its hashes.
using PartitionHashes = std::map<std::string, SuffixHash>;

}  // namespace fragmend::swift
