// A GET whose bytes nobody wants.
#include "transport/fragments/second_look.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "transport/http/request.hpp"

namespace fragmend::transport::fragments {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::uint64_t bytes_per_limit = 1024 * 1024;
/// An archive that takes longer is left to its owner's auditor.
constexpr std::chrono::seconds look_max{60};

}  // namespace

Awaitable<void> second_look(http::Client& client, DamagedArchive archive, Timeouts timeouts,
                            http::Abort& abort) {
    const http::Peer peer = http::replication_peer(archive.node);
    std::string head =
        http::get_head(peer, client.user_agent(), archive.node.device, archive.partition,
                       percent_quote(archive.object_path), archive.policy_index,
                       archive.data_timestamp, http::Verifies::server);
    const auto end = std::chrono::steady_clock::now() + look_max;
    auto opened =
        co_await client.open(peer, std::move(head), timeouts.conn, timeouts.node, 0, abort);
    if (opened.has_error() || opened->head.status() != 200) co_return;
    std::uint64_t left = std::min(opened->head.content_length().value_or(0), archive.archive_bytes);
    std::uint64_t since_limit = bytes_per_limit;
    auto deadline = Deadline::none();
    while (left > 0 && !abort.aborted() && std::chrono::steady_clock::now() < end) {
        if (since_limit >= bytes_per_limit) {
            deadline = Deadline::exception(timeouts.node, "Timeout");
            since_limit = 0;
        }
        if (opened->connection.buffered().empty()) {
            auto filled = co_await opened->connection.fill(read_bytes, deadline);
            if (filled.has_error() || *filled == 0) co_return;
        }
        const auto bytes = static_cast<std::size_t>(
            std::min<std::uint64_t>(left, opened->connection.buffered().size()));
        opened->connection.consume(bytes);
        left -= bytes;
        since_limit += bytes;
    }
}

}  // namespace fragmend::transport::fragments
