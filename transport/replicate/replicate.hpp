// The REPLICATE client: a peer's suffix hashes of one partition, and which of them to distrust.
#pragma once

#include <string>

#include "host/base/async.hpp"
#include "host/base/node.hpp"
#include "transport/http/client.hpp"
#include "transport/time_limit.hpp"

namespace fragmend::transport::replicate {

/// The hashes of a partition are at most 4096 suffixes, each a small dict.
inline constexpr std::size_t body_bytes_max = 64 * 1024 * 1024;

struct ReplicateRequest {
    Node node;
    std::string partition;  ///< Decimal.
    /// To be hashed anew at the next request, joined with "-"; the answer to this one is empty
    /// then.
    std::string suffixes;
    int policy_index = 0;
    Timeouts timeouts;
};

struct ReplicateAnswer {
    int status = 0;
    std::string body;  ///< A pickle when the status is 200; never trusted here.
};

/// Asks `request.node` for its suffix hashes. Any status is an answer; the caller tells 507 apart.
/// Limits:  conn_timeout to connect and send (Swift since 2.38.1), http_timeout for the head, and
/// again
///          for the body.
/// Life:    `abort` outlives the call and ends it at any point.
/// Errors:  connect_failed, disconnected, protocol, limit, timeout, cancelled; the detail is what
/// Swift logs behind
///          `Unable to get remote suffix hashes from ...: `.
/// Source:  swift.obj.reconstructor.ObjectReconstructor._get_suffixes_to_sync.
Awaitable<Result<ReplicateAnswer>> get_suffix_hashes(http::Client& client, ReplicateRequest request,
                                                     http::Abort& abort);

}  // namespace fragmend::transport::replicate
