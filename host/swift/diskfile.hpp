// An object on the local disk: found by its hash, opened with every check that Swift makes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/metadata.hpp"
#include "host/swift/ondisk_files.hpp"

namespace fragmend::swift {

/// `/account/container/object`, as plain bytes.
struct ObjectName {
    std::string account;
    std::string container;
    std::string object;

    std::string path() const { return "/" + account + "/" + container + "/" + object; }
    bool operator==(const ObjectName&) const = default;
};

/// Splits a stored name; the object may contain slashes. Errors: bad_name.
Result<ObjectName> parse_object_path(std::string_view path);

/// MD5 of the name between the cluster's prefix and suffix: 32 hex digits.
/// Source: swift.common.utils.hash_path.
std::string object_hash_of(const DiskContext& context, std::string_view object_path);

/// An object that exists in some form, as its hash directory tells.
struct FoundObject {
    std::string hash;
    std::string hash_dir_path;
    ObjectName name;
    std::vector<std::string> file_names;  ///< After cleanup, in reverse order.
    /// The last of them, whose metadata named the object.
    UniqueFd name_file;
    Metadata name_metadata;
};

/// Cleans the hash directory and learns the object's name from the file that sorts first.
/// Errors: not_mounted; not_found (nothing there, or nothing that names an object); bad_name (no
/// hash of 32 hex digits); name_collision (the stored name has another hash: Swift would go on with
/// that other directory, we leave both alone); bad_metadata, bad_pickle, io. Source:
/// swift.obj.diskfile.BaseDiskFileManager.get_diskfile_and_filenames_from_hash.
Result<FoundObject> find_object(const DiskContext& context, std::string_view device,
                                std::string_view partition, std::string_view object_hash);

struct OpenOptions {
    std::optional<int> frag_index;
    std::optional<std::vector<FragmentPreference>> frag_prefs;
    bool open_expired = false;
};

/// What opening gave: either a tombstone, and then only its time and the name, or a fragment.
struct OpenObject {
    ObjectName name;
    std::string hash;
    std::string hash_dir_path;
    std::optional<Timestamp> tombstone;  ///< Set: deleted, at the time in the tombstone's metadata.

    Metadata data_metadata;                 ///< Of the `.data` file alone: what a PUT carries.
    std::optional<Metadata> meta_metadata;  ///< Of the `.meta` file(s), without `name`: a POST.
    Metadata effective;                     ///< What a GET answers.
    Timestamp data_timestamp;               ///< X-Timestamp of the data file.
    Timestamp timestamp;  ///< X-Timestamp that counts: of `.meta` if there is one.
    std::optional<Timestamp> content_type_timestamp;
    std::optional<Timestamp> durable_timestamp;  ///< Of the newest durable set.
    OndiskFiles files;                           ///< All that was recorded beside the chosen file.
    int fragment_index = -1;                     ///< From the file's name.
    std::string data_path;
    UniqueFd fd;
    std::uint64_t content_length = 0;  ///< Checked against the file's size.

    bool durable() const { return durable_timestamp == data_timestamp; }
    /// X-Object-Sysmeta-Ec-Frag-Index as a number; callers refuse a fragment whose two indexes
    /// differ.
    std::optional<std::int64_t> stored_fragment_index() const;
};

/// Chooses among the files that were found and checks what they say; lists the directory again when
/// one of them has gone since. Takes the open file and its metadata out of `found`, which may be
/// opened again without them. Damage that Swift would quarantine is quarantined.
/// Errors: not_found (also: nothing that fits the options), expired, name_collision, quarantined,
/// not_mounted, io, bad_metadata (no usable X-Timestamp).
/// Source: swift.obj.diskfile.BaseDiskFile.open, _construct_from_data_file, _verify_data_file.
Result<OpenObject> open_found(const DiskContext& context, std::string_view device,
                              FoundObject& found, const OpenOptions& options);

/// `find_object`, then `open_found`.
Result<OpenObject> open_object(const DiskContext& context, std::string_view device,
                               std::string_view partition, std::string_view object_hash,
                               const OpenOptions& options);

/// A data file that was open before, under the same name. Errors: those of open(2), bad_fragment
/// (its length is not `bytes` any more).
Result<UniqueFd> open_data_file_again(const std::string& path, std::uint64_t bytes);

}  // namespace fragmend::swift
