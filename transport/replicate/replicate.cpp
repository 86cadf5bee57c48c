// The REPLICATE client.
#include "transport/replicate/replicate.hpp"

#include <utility>

namespace fragmend::transport::replicate {
namespace {

/// A small partition's hashes come with the head; of larger ones the rest is read into its place.
/// What a connection keeps between two requests is as large as this and a head.
constexpr std::size_t body_bytes_hint = 4 * 1024;

}  // namespace

Awaitable<Result<ReplicateAnswer>> get_suffix_hashes(http::Client& client, ReplicateRequest request,
                                                     http::Abort& abort) {
    const http::Peer peer = http::replication_peer(request.node);
    std::string head =
        http::replicate_head(peer, client.user_agent(), request.node.device, request.partition,
                             request.suffixes, request.policy_index);
    auto opened = co_await client.open(peer, std::move(head), request.timeouts.conn,
                                       request.timeouts.http, body_bytes_hint, abort);
    if (opened.has_error()) co_return opened.error();
    const auto deadline = Deadline::exception(request.timeouts.http, "Timeout");
    auto body =
        co_await http::read_body(opened->connection, opened->head, body_bytes_max, deadline);
    if (body.has_error()) co_return body.error();
    ReplicateAnswer answer{opened->head.status(), std::move(*body)};
    client.finish(peer, std::move(*opened), 0);
    co_return answer;
}

}  // namespace fragmend::transport::replicate
