// hashes.pkl and hashes.invalid of one partition.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {

/// What hashes.pkl says. A suffix without a hash must be hashed again.
struct StoredHashes {
    bool valid = false;
    std::map<std::string, std::optional<SuffixHash>> suffixes;

    bool operator==(const StoredHashes&) const = default;
};

/// Reads the pickle of any Swift version. Anything that is not exactly that gives `valid == false`;
/// a single value we cannot use gives a suffix to hash again.
/// Source: swift.obj.diskfile.read_hashes.
StoredHashes parse_stored_hashes(std::string_view pickle);

/// The pickle that Swift would write: `valid`, the suffixes in order, `updated` in seconds.
std::string dump_stored_hashes(const StoredHashes& hashes, double updated_s);

/// What the lines of hashes.invalid ask for.
struct Invalidations {
    std::set<std::string> suffixes;
    bool any = false;      ///< There was at least one line.
    bool garbage = false;  ///< A line that names no suffix: something may have been lost.

    bool operator==(const Invalidations&) const = default;
};
Invalidations parse_invalidations(std::string_view text);

/// The bytes of hashes.pkl at one moment, nothing when it could not be read. Two equal ones mean that
/// nobody wrote in between, since each write carries its time.
using HashesSnapshot = std::optional<std::string>;

HashesSnapshot read_hashes_file(const std::string& partition_path);

/// Writes hashes.pkl by way of a synced temporary file. The caller holds the hash lock.
/// Errors: io, no_space, not_found. Source: swift.obj.diskfile.write_hashes, utils.write_pickle.
Result<std::string> write_hashes_file(const std::string& partition_path, const StoredHashes& hashes,
                                      const Timestamp& now);

/// Appends to hashes.invalid under the hash lock; makes the partition's directory if needed.
/// Errors: lock_timeout, io, no_space. Source: swift.obj.diskfile.invalidate_hash.
Result<void> invalidate_suffix(const std::string& partition_path, std::string_view suffix);

struct ConsolidatedHashes {
    StoredHashes hashes;
    HashesSnapshot snapshot;  ///< Of the file as it is now.
};

/// Moves what hashes.invalid says into hashes.pkl, under the hash lock and in Swift's order: read
/// both, write the pickle, truncate the list. A garbage line makes the whole pickle invalid: it may
/// be the rest of a torn one. Errors: lock_timeout, io, no_space, not_found (no partition).
/// Source: swift.obj.diskfile.consolidate_hashes.
Result<ConsolidatedHashes> consolidate_hashes(const std::string& partition_path,
                                              const Timestamp& now);

}  // namespace fragmend::swift
