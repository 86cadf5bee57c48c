// POST and DELETE: a metadata file, a tombstone.
#pragma once

#include "host/server/object_rules.hpp"

namespace fragmend::server {

/// Both block, run on a disk thread, and answer when what they wrote is safe.
/// Answers of POST: 202, 400, 404, 409, 507. Source: swift.obj.server.ObjectController.POST.
Reply answer_post(const BackendRequest& request, WriteRules rules);
/// Answers of DELETE: 204, 400, 404, 409, 412, 507. Source: ObjectController.DELETE.
Reply answer_delete(const BackendRequest& request, WriteRules rules);

}  // namespace fragmend::server
