// What a sender offers of one suffix.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/ondisk_files.hpp"

namespace fragmend::swift {

/// One object as a missing check names it.
struct LocalOffer {
    std::string object_hash;
    Timestamp data;                         ///< Of the data file or the tombstone.
    std::optional<Timestamp> meta;          ///< Of the `.meta`, if one counts.
    std::optional<Timestamp> content_type;  ///< When that `.meta` brings a newer one.
    std::optional<bool> durable;            ///< Unset for tombstones and whole objects.

    bool operator==(const LocalOffer&) const = default;
};

struct OfferOptions {
    std::optional<int> frag_index;
    /// As in SelectionOptions: no list offers durable data only, an empty one also the rest.
    std::optional<std::vector<FragmentPreference>> frag_prefs;
};

/// Cleans every hash directory of the suffix and lists what can be offered, in the order of the
/// directory. A suffix in which no file is left is invalidated. Names that are no object hashes of
/// this suffix are cleaned like Swift does, and never offered.
/// Errors: not_mounted, bad_name (no suffix), io; a single directory that cannot be listed is
/// logged and left to the next hashing. A suffix that does not exist has no offers. Source:
/// swift.obj.diskfile.BaseDiskFileManager.yield_hashes.
Result<std::vector<LocalOffer>> list_offers(const DiskContext& context, std::string_view device,
                                            std::string_view partition, const std::string& suffix,
                                            const OfferOptions& options);

}  // namespace fragmend::swift
