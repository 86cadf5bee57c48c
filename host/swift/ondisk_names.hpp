// File names in a hash directory: parsing and making.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"

namespace fragmend::swift {

/// By extension. `other` is a name that is a timestamp with an extension nobody uses: Swift lets a
/// newer tombstone or durable fragment make it obsolete like the rest, and so do we.
enum class OndiskKind : std::uint8_t { data, meta, tombstone, legacy_durable, other };

/// What one file name says.
struct OndiskName {
    OndiskKind kind = OndiskKind::other;
    Timestamp timestamp;
    std::optional<Timestamp> content_type;  ///< `.meta` with a delta only.
    int fragment_index = -1;                ///< `.data` only.
    bool durable = false;  ///< `.data` only: the name ends in `#d`, or the object is whole.

    bool operator==(const OndiskName&) const = default;
};

/// No bound on fragment indexes: callers without a policy at hand, as in Swift's yield_hashes.
inline constexpr int any_fragment_count = 0;
/// Objects are whole, as in a policy of replication type: a `.data` name is only a timestamp.
inline constexpr int no_fragments = -1;

/// Parses `name`; a fragment index must be below `fragment_count` unless that is
/// `any_fragment_count`; with `no_fragments` there must be none. Numbers are digits only: what
/// Python's int() and float() would take beyond that (blanks, underscores, signs) stays
/// unrecognised and is left alone. Errors: bad_name, with Swift's reason. Source:
/// swift.obj.diskfile.ECDiskFileManager.parse_on_disk_filename,
/// BaseDiskFileManager.parse_on_disk_filename, utils.decode_timestamps.
Result<OndiskName> parse_ondisk_name(std::string_view name, int fragment_count);

/// `<ts>#<fi>.data`, or `<ts>#<fi>#d.data` when durable; `<ts>.data` without an index (-1).
std::string data_file_name(const Timestamp& timestamp, int fragment_index, bool durable);
std::string tombstone_file_name(const Timestamp& timestamp);
/// `<ts>.meta`, or `<short ts><signed hex delta>.meta` with a content-type time.
std::string meta_file_name(const Timestamp& timestamp,
                           const std::optional<Timestamp>& content_type);

/// `.<anything>.<6 letters, digits or _>`: what rsync leaves while it writes.
bool is_rsync_temp_name(std::string_view name);

}  // namespace fragmend::swift
