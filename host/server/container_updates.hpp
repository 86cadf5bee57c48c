// What containers have to learn of a change, left for Swift's object-updater to deliver.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/server/backend_request.hpp"

namespace fragmend::server {

/// Writes one entry of `async_pending` when the request says which container servers there are;
/// requests of replication say nothing of the kind. Swift's own server tries to deliver first and
/// leaves an entry only when that fails; ours leaves it always. `headers` are the update's own.
/// Blocks; synced when it returns. Errors: io, no_space.
/// Source: swift.obj.server.ObjectController.container_update, async_update,
/// swift.obj.diskfile.BaseDiskFileManager.pickle_async_update.
Result<void> leave_container_update(const BackendRequest& request, std::string_view operation,
                                    HeaderMap headers, const Timestamp& timestamp);

/// X-Delete-At of a PUT or POST; 0 without one.
std::int64_t requested_delete_at(const BackendRequest& request);

/// Tells the queue of Swift's expirer: `old_delete_at` (0: none) is no more, `new_delete_at` is to
/// come. Nothing for requests of replication. Errors as above.
/// Source: ObjectController.delete_at_update, swift.obj.expirer.build_task_obj.
Result<void> leave_expiry_updates(const BackendRequest& request, const Timestamp& timestamp,
                                  std::int64_t old_delete_at, std::int64_t new_delete_at);

/// Applies X-Backend-Container-Update-Override-* and its sysmeta twin.
/// Source: ObjectController._check_container_override.
void apply_container_overrides(HeaderMap& update, const std::vector<HeaderMap::Item>& metadata,
                               const std::vector<HeaderMap::Item>& footers);

}  // namespace fragmend::server
