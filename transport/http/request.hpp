// Request heads, byte for byte as Swift's reconstructor writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/node.hpp"
#include "host/base/timestamp.hpp"

namespace fragmend::transport::http {

/// Where a request goes.
struct Peer {
    std::string host;  ///< Numeric address, or a name to resolve.
    std::uint16_t port = 0;

    bool operator==(const Peer&) const = default;
};

/// REPLICATE, SSYNC and fragment GETs all go to the replication side.
inline Peer replication_peer(const Node& node) {
    return {node.replication_ip, node.replication_port};
}

/// `<host>[:<port>]` as Python's http.client writes it: IPv6 in brackets, port 80 left out.
std::string host_header(const Peer& peer);

/// By this a reader says that it hashes what it is sent, and compares: a Fragmend server then
/// leaves that to it. Swift does not know it.
inline constexpr std::string_view reader_verifies_header = "X-Fragmend-Reader-Verifies";
inline constexpr std::string_view reader_verifies_md5 = "md5";
enum class Verifies : bool { server, reader };

/// A GET of one fragment archive. `quoted_path` is `/account/container/object`, quoted;
/// `preferred` goes out in the internal form, offset included.
/// Source: swift.obj.reconstructor.ObjectReconstructor._make_fragment_requests (2.37.1 for the
/// form).
std::string get_head(const Peer& peer, std::string_view user_agent, std::string_view device,
                     std::string_view partition, std::string_view quoted_path, int policy_index,
                     const Timestamp& preferred, Verifies verifies);

/// A REPLICATE of one partition, or of some of its suffixes, joined with "-": those are hashed anew
/// when the partition is asked for next. Sources: ObjectReconstructor._get_suffixes_to_sync,
/// swift.obj.server.ObjectController.REPLICATE.
std::string replicate_head(const Peer& peer, std::string_view user_agent, std::string_view device,
                           std::string_view partition, std::string_view suffixes, int policy_index);

/// The head of an SSYNC session; its path is not quoted, so a device or partition that would break
/// the request line is refused. Errors: bad_name. Source: swift.obj.ssync_sender.Sender.connect.
Result<std::string> ssync_head(const Peer& peer, std::string_view device,
                               std::string_view partition, int policy_index,
                               std::optional<int> frag_index);

}  // namespace fragmend::transport::http
