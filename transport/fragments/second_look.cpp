// A GET whose bytes nobody wants.
#include "transport/fragments/second_look.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "transport/http/request.hpp"

namespace fragmend::transport::fragments {
namespace {

constexpr std::size_t piece_bytes_max = 64 * 1024;
/// An archive that takes longer is left to its owner's auditor.
constexpr std::chrono::seconds look_max{60};

}  // namespace

Awaitable<void> second_look(http::Client& client, DamagedArchive archive, Timeouts timeouts,
                            MayRead may_read, http::Abort& abort) {
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
    std::vector<std::byte> dropped(
        static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_bytes_max)));
    while (left > 0 && !abort.aborted() && std::chrono::steady_clock::now() < end) {
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left, dropped.size()));
        const auto passed = co_await may_read(bytes);
        if (passed.has_error()) co_return;
        const auto got = co_await opened->connection.read(
            std::span(dropped).first(bytes), Deadline::exception(timeouts.node, "Timeout"));
        if (got.has_error() || *got < bytes) co_return;
        left -= bytes;
    }
}

}  // namespace fragmend::transport::fragments
