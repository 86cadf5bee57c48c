// What Swift demands of a request that stores an object.
#pragma once

#include <cstdint>
#include <optional>

#include "host/server/backend_request.hpp"
#include "host/server/server_options.hpp"
#include "host/swift/disk_writer.hpp"
#include "host/swift/swift_conf.hpp"

namespace fragmend::server {

/// What writing verbs work with; both outlive every request.
struct WriteRules {
    const ServerOptions& options;
    const swift::Constraints& constraints;
};

/// Checks length, name, type, expiry and metadata, and turns X-Delete-After into X-Delete-At.
/// `has_length`: the body is counted or chunked. Answers: 400, 411, 413.
/// Source: swift.common.constraints.check_object_creation.
std::optional<Reply> refused_creation(BackendRequest& request, const Timestamp& timestamp,
                                      std::optional<std::uint64_t> length, bool has_length,
                                      const swift::Constraints& constraints);

/// X-Backend-Ssync-Frag-Index. Errors: 500 for what is no index of the policy, as from Swift.
Answered<std::optional<int>> requested_fragment_index(const BackendRequest& request);

swift::WritePlace write_place(const BackendRequest& request);
swift::WriteOptions write_options(const ServerOptions& options);

/// Copies what an object keeps of a request beside its own items: metadata of all kinds, allowed
/// headers, and what X-Backend-Replication-Headers names.
/// Source: swift.obj.server.ObjectController._get_request_metadata, POST.
void copy_kept_headers(const BackendRequest& request, const ServerOptions& options,
                       bool with_system_meta, swift::Metadata& metadata);

/// What a failed write is answered with: 507 or 500, and a line in the log.
Reply failed_write_reply(const BackendRequest& request, const Error& error);

}  // namespace fragmend::server
