// A request to a storage node, taken apart and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/timestamp.hpp"
#include "host/server/header_map.hpp"
#include "host/server/policy_store.hpp"
#include "host/swift/diskfile.hpp"
#include "transport/http/reply.hpp"
#include "transport/http/request_head.hpp"

namespace fragmend::server {

using transport::http::Fields;
using transport::http::Reply;

/// A step that may end with an answer instead of a value.
template <typename T>
using Answered = boost::system::result<T, Reply>;

/// What a request is about. `store` belongs to the server.
struct BackendRequest {
    std::string method;
    HeaderMap headers;
    const PolicyStore* store = nullptr;
    std::string device;
    std::string partition;
    swift::ObjectName name;   ///< Of an object verb.
    std::string object_hash;  ///< The same.
    std::string suffixes;     ///< Of REPLICATE: `abc-def`, or empty.

    const swift::DiskContext& disk() const { return store->disk; }
    bool is_replication() const { return headers.is_true("X-Backend-Replication"); }
    /// X-Timestamp. Errors: 400.
    Answered<Timestamp> timestamp() const;
    /// Swift would also link what is written here below the partition that the object is to have
    /// after the increase of the part power that X-Backend-Next-Part-Power tells of.
    /// Source: swift.obj.diskfile.BaseDiskFileWriter._finalize_put.
    bool is_to_be_relinked() const;
    /// Where the object lies, for `open_found`.
    swift::FoundObject place() const;
};

HeaderMap headers_of(const transport::http::RequestHead& head);

/// Finds the policy and takes `/<device>/<partition>/<account>/<container>/<object>` apart.
/// Errors: 503 (no such policy), 400. Source: swift.obj.server.get_obj_name_and_placement.
Answered<BackendRequest> object_request(const PolicyStores& stores, std::string_view method,
                                        std::string_view path, HeaderMap headers);
/// `/<device>/<partition>[/<suffixes>]`; `with_suffixes` is false for SSYNC. Errors as above.
Answered<BackendRequest> partition_request(const PolicyStores& stores, std::string_view method,
                                           std::string_view path, HeaderMap headers,
                                           bool with_suffixes);

/// Swift's HTML for `status`; `drive` for 507. Source: swift.common.swob.RESPONSE_REASONS.
Reply error_reply(int status, std::string_view drive = "");
bool is_explanation(const Reply& reply);
/// An answer with a body of its own: `text/plain` for whatever is said about a request, HTML's type
/// where Swift forgot to name one.
Reply text_reply(int status, std::string body, bool is_plain = true);

}  // namespace fragmend::server
