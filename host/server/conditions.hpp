// If-Match and its relatives.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/server/header_map.hpp"

namespace fragmend::server {

/// What conditions are compared with.
struct ConditionSubject {
    int status = 200;
    std::optional<std::string_view> etag;         ///< Without quotes.
    std::optional<std::int64_t> last_modified_s;  ///< Whole seconds since the epoch.
};

/// 304 or 412 when the request's conditions say so.
/// Source: swift.common.swob.Response._get_conditional_response_status.
std::optional<int> conditional_status(const HeaderMap& headers, const ConditionSubject& subject);

/// Whether a list of entity tags holds `etag` or `*`. Source: swift.common.swob.Match.
bool matches_tag(std::string_view list, std::string_view etag);

/// An entity tag without its quotes. Source: swift.common.swob.normalize_etag.
std::string_view without_quotes(std::string_view etag);

/// Seconds since the epoch of an HTTP date in one of its three forms.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace fragmend::server
