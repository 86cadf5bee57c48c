// The headers of an answer that carries an object.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "host/server/backend_request.hpp"

namespace fragmend::server {

using AllowedHeaders = std::set<std::string, std::less<>>;

/// Everything that GET and HEAD answer of an opened object except its length. Metadata whose name
/// or value would break its line is left out and named in the log. Source:
/// swift.obj.server.ObjectController.GET, HEAD.
Fields object_fields(const BackendRequest& request, const swift::OpenObject& object,
                     const AllowedHeaders& allowed);

/// JSON of the fragments that were found: `{"<time>": [<index>, ...]}`; empty without any.
/// Source: swift.obj.server._make_backend_fragments_header.
std::string fragments_json(const swift::OndiskFiles& files);

/// X-Backend-Fragment-Preferences. Nothing when absent or not JSON; errors: bad_name for JSON of
/// another shape. Source: swift.obj.diskfile.ECDiskFile._validate_frag_prefs.
Result<std::optional<std::vector<swift::FragmentPreference>>> fragment_preferences(
    const BackendRequest& request);

/// The entity tag that conditions are compared with, where X-Backend-Etag-Is-At names another one.
/// Source: swift.common.request_helpers.resolve_etag_is_at_header.
std::string conditional_etag(const BackendRequest& request, const swift::Metadata& metadata);

}  // namespace fragmend::server
