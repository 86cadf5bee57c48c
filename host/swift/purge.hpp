// Removing what a revert has delivered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/swift/disk_context.hpp"

namespace fragmend::swift {

/// One delivered object, with the times that were offered.
struct PurgeRequest {
    std::string object_hash;
    Timestamp data;                 ///< Of the fragment or tombstone that was acknowledged.
    std::optional<Timestamp> meta;  ///< Of the `.meta` that was offered with it.
    bool durable = false;           ///< The offer said durable: no commit window applies.
    std::optional<int> frag_index;  ///< Of the job; none for tombstones only.
    /// This device is no primary of the partition for any index: its `.meta` may go as well.
    bool pure_handoff = false;
};

/// Removes the tombstone and the fragment of exactly these times and, where no version is left that
/// needs them, the `.meta` files that were delivered with it; then invalidates the suffix. Kept: a
/// non-durable fragment younger than the commit window and, stricter than Swift, one that became
/// durable after it was offered as non-durable. On a pure handoff an object that was posted to
/// since its offer is not touched at all (false): its next offer takes data and `.meta` along.
/// The caller holds the partition's replication lock and has the receiver's word for this object.
/// Errors: not_found (nothing there any more), those of `find_object`, lock_timeout, io, no_space.
/// Source: swift.obj.reconstructor.ObjectReconstructor.delete_reverted_objs,
/// swift.obj.diskfile.ECDiskFile.purge.
Result<bool> purge_object(const DiskContext& context, std::string_view device,
                          std::string_view partition, const PurgeRequest& request);

/// Removes a suffix directory if it is empty; true if it is gone.
bool remove_empty_suffix(const DiskContext& context, std::string_view device,
                         std::string_view partition, const std::string& suffix);

}  // namespace fragmend::swift
