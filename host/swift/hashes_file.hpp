// hashes.pkl and hashes.invalid of one partition.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/swift/hashes_pickle.hpp"

namespace fragmend::swift {

/// The bytes of hashes.pkl at one moment, nothing when it could not be read. Two equal ones mean
/// that nobody wrote in between, since each write carries its time.
using HashesSnapshot = std::optional<std::string>;

HashesSnapshot read_hashes_file(const std::string& partition_path);
/// The same below an open partition directory.
HashesSnapshot read_hashes_file(int partition_fd);

/// As `write_hashes_file` and Swift's write_pickle name what they have not finished.
bool is_unfinished_hashes_file(std::string_view name);

/// Writes hashes.pkl by way of a synced temporary file. The caller holds the hash lock.
/// Errors: io, no_space, not_found. Source: swift.obj.diskfile.write_hashes, utils.write_pickle.
Result<std::string> write_hashes_file(const std::string& partition_path, const StoredHashes& hashes,
                                      const Timestamp& now);

/// Appends to hashes.invalid under the hash lock; makes the partition's directory if needed.
/// Errors: lock_timeout, io, no_space. Source: swift.obj.diskfile.invalidate_hash.
Result<void> invalidate_suffix(const std::string& partition_path, std::string_view suffix);

/// The same for several suffixes at once, with a limit of one's own for the wait for the lock.
Result<void> invalidate_suffixes(const std::string& partition_path,
                                 const std::set<std::string>& suffixes, double lock_time_s);

struct ConsolidatedHashes {
    StoredHashes hashes;
    HashesSnapshot snapshot;  ///< Of the file as it is now.
};

/// Moves what hashes.invalid says into hashes.pkl, under the hash lock and in Swift's order: read
/// both, write the pickle, truncate the list. A garbage line makes the whole pickle invalid: it may
/// be the rest of a torn one. Errors: lock_timeout, io, no_space, not_found (no partition).
/// Source: swift.obj.diskfile.consolidate_hashes.
Result<ConsolidatedHashes> consolidate_hashes(const std::string& partition_path,
                                              const Timestamp& now, SuffixForm form);

}  // namespace fragmend::swift
