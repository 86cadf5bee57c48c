// The file in which Swift's daemons leave numbers for the recon middleware.
#pragma once

#include <map>
#include <string>

#include "host/base/error.hpp"
#include "host/swift/json_members.hpp"

namespace fragmend::swift {

/// What to merge into the file; values are JSON texts.
/// Source: swift.common.utils.put_recon_cache_entry.
struct ReconUpdate {
    JsonMembers values;  ///< Each takes the place of what was there.
    /// Each is merged one level deep: an inner value that is empty removes the inner name, and
    /// no inner names at all remove the member.
    std::map<std::string, JsonMembers> nested;
};

/// How long a lock that another daemon holds is waited for.
inline constexpr double recon_lock_timeout_s = 2;

/// Merges `update` into `path` under Swift's lock: other members keep their bytes, content that is
/// no JSON object is begun anew. The new file is complete before it takes the old one's place.
/// Blocks up to the lock timeout. Errors: lock_timeout, not_found (no such folder), io, no_space.
/// Source: swift.common.utils.dump_recon_cache, lock_file.
Result<void> update_recon_cache(const std::string& path, const ReconUpdate& update);

/// All members; a file that is missing or holds no JSON object has none. Errors: io, limit.
/// Source: swift.common.utils.load_recon_cache.
Result<JsonMembers> load_recon_cache(const std::string& path);

/// The merge itself.
void merge_recon_update(JsonMembers& members, const ReconUpdate& update);

}  // namespace fragmend::swift
