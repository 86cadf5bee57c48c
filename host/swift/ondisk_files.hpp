// Which of the files in a hash directory count: a pure decision over their names.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/swift/ondisk_names.hpp"

namespace fragmend::swift {

struct OndiskFile {
    std::string name;
    OndiskName parsed;

    const Timestamp& timestamp() const { return parsed.timestamp; }
};

/// All fragment archives of one data time, by ascending index.
struct FragmentSet {
    Timestamp timestamp;
    std::vector<OndiskFile> members;
};

/// Which fragments of one time a reader already has or does not want.
struct FragmentPreference {
    Timestamp timestamp;
    std::vector<int> exclude;
};

struct SelectionOptions {
    /// Wants this very fragment; otherwise the highest index of the chosen set.
    std::optional<int> frag_index;
    /// No list: only durable data is chosen. An empty list: the newest data of any kind.
    std::optional<std::vector<FragmentPreference>> frag_prefs;
    int fragment_count = any_fragment_count;
};

/// What `select_ondisk_files` found. Files that appear nowhere are kept and have no say.
struct OndiskFiles {
    std::optional<OndiskFile> data;
    std::optional<OndiskFile> meta;          ///< Only beside `data`.
    std::optional<OndiskFile> content_type;  ///< The `.meta` whose content type counts, if newer.
    std::optional<OndiskFile> tombstone;     ///< Only without `data`.
    /// Newest first, down to the durable one. None of whole objects, nor `durable_set`.
    std::vector<FragmentSet> recorded;
    std::optional<std::size_t>
        durable_set;  ///< Index into `recorded`; set even if nothing is chosen.
    std::vector<OndiskFile> obsolete;
    std::vector<OndiskFile> possible_reclaim;
    std::vector<std::string> unexpected;

    std::optional<Timestamp> durable_timestamp() const {
        if (!durable_set) return std::nullopt;
        return recorded[*durable_set].timestamp;
    }
};

/// Applies Swift's rules to the names of one hash directory. Ties are settled by the order of
/// `names`, which callers sort in reverse as Swift's cleanup does.
/// Where several fragments are left over by a preference, the highest index is taken (Swift takes
/// the last of an unordered set; any of them is right for its callers).
/// Source: swift.obj.diskfile.BaseDiskFileManager.get_ondisk_files,
/// ECDiskFileManager._process_ondisk_files, DiskFileManager._process_ondisk_files.
OndiskFiles select_ondisk_files(std::span<const std::string> names,
                                const SelectionOptions& options);

}  // namespace fragmend::swift
