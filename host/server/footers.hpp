// The footer document of a proxy's PUT.
#pragma once

#include <cstddef>
#include <string_view>

#include "host/server/backend_request.hpp"

namespace fragmend::server {

/// Footers are a few hundred bytes. Swift has no bounds of its own here.
inline constexpr std::size_t footer_bytes_max = 64 * 1024;
inline constexpr std::size_t footer_names_max = transport::http::request_fields_max;

/// Headers out of a JSON object: texts, whole numbers, and Python's words for truth; a name with
/// null is none. Each code point of a text is a byte on the wire. Answers: 400, also beyond the
/// bounds. Source: swift.obj.server.ObjectController._parse_footer, HeaderKeyDict.
Answered<HeaderMap> parse_footers(std::string_view document);

}  // namespace fragmend::server
