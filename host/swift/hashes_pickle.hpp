// The contents of hashes.pkl and hashes.invalid, without the files.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "host/swift/hashes_types.hpp"
#include "host/swift/pickle_nodes.hpp"
#include "host/swift/pickle_writer.hpp"

namespace fragmend::swift {

/// What hashes.pkl says. A suffix without a hash must be hashed again.
struct StoredHashes {
    bool valid = false;
    SuffixForm form = SuffixForm::by_index;
    std::map<std::string, std::optional<SuffixHash>> suffixes;

    bool operator==(const StoredHashes&) const = default;
};

/// Reads the pickle of any Swift version. Anything that is not exactly that gives `valid == false`;
/// a single value we cannot use, or one of the other form, gives a suffix to hash again.
/// Source: swift.obj.diskfile.read_hashes.
StoredHashes parse_stored_hashes(std::string_view pickle, SuffixForm form = SuffixForm::by_index);

/// The pickle that Swift would write: `valid`, the suffixes in order, `updated` in seconds.
std::string dump_stored_hashes(const StoredHashes& hashes, double updated_s);

/// The per-index hashes of one suffix; nothing for any other shape. See PickleDocument::entries for
/// `items_left`.
std::optional<SuffixHash> suffix_hash_from(const PickleDocument& document, PickleNodeIndex node,
                                           std::size_t& items_left);
void write_suffix_hash(PickleWriter& writer, const SuffixHash& hash, SuffixForm form);

/// What the lines of hashes.invalid ask for.
struct Invalidations {
    std::set<std::string> suffixes;
    bool any = false;      ///< There was at least one line.
    bool garbage = false;  ///< A line that names no suffix: something may have been lost.

    bool operator==(const Invalidations&) const = default;
};
Invalidations parse_invalidations(std::string_view text);

}  // namespace fragmend::swift
