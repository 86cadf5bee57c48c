// The head of a sub-request, and what must never go into one.
#pragma once

#include <string>

#include "host/base/error.hpp"
#include "transport/ssync/ports.hpp"

namespace fragmend::transport::ssync {

/// Whether a sub-request can go out: a known method, names and values that stay within their line,
/// no second Content-Length, a body exactly when there is a length. A caller that would rather skip
/// one bad object than lose its session asks first. Errors: bad_metadata.
Result<void> check_sub_request(const SubRequest& request);

/// `<METHOD> <quoted path>` and the headers by name in byte order, blank line included.
/// Source: swift.obj.ssync_sender.Sender.send_subrequest.
std::string sub_request_head(const SubRequest& request);

}  // namespace fragmend::transport::ssync
