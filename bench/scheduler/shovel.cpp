// The yardstick: the same requests, the same bytes, no looking at them.
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <vector>

#include "bench/scheduler/pipeline.hpp"
#include "transport/http/client.hpp"

namespace fragmend::bench {
namespace {

namespace http = transport::http;
using transport::Deadline;
using transport::TimeLimit;

struct Work {
    MemoryPeers& peers;
    std::uint64_t gets_left = 0;
    std::uint64_t turn = 0;
    const TimeLimit limit = TimeLimit::from_int(60);
};

Awaitable<void> read_all(http::Client& client, Work& work) {
    std::vector<std::byte> buffer(work.peers.fragment_bytes());
    while (work.gets_left > 0) {
        --work.gets_left;
        const std::size_t index = work.turn++ % 6;
        const Node node = work.peers.node(index);
        const http::Peer peer = http::replication_peer(node);
        std::string head = http::get_head(peer, client.user_agent(), node.device, "0",
                                          "/a/c/0123456789abcdef0123456789abcdef", 1,
                                          MemoryPeers::time, http::Verifies::server);
        http::Abort abort;
        auto opened = co_await client.open(peer, std::move(head), work.limit, work.limit, 0, abort);
        if (opened.has_error()) co_return;
        std::uint64_t left = opened->head.content_length().value_or(0);
        while (left > 0) {
            const auto part =
                static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
            auto got = co_await opened->connection.read(ByteSpan(buffer).first(part),
                                                        Deadline::exception(work.limit, "Timeout"));
            if (got.has_error()) co_return;
            left -= part;
        }
        client.finish(peer, std::move(*opened), 0);
    }
}

Awaitable<void> write_all(asio::any_io_executor executor, Work& work, std::uint64_t objects) {
    http::Connection connection(executor);
    const auto send = Deadline::exception(work.limit, "Timeout");
    auto connected = co_await connection.connect(http::replication_peer(work.peers.node(0)), send);
    if (connected.has_error()) co_return;
    const std::string hello = "SINK / HTTP/1.1\r\n\r\n";
    std::array<ByteView, 3> pieces{as_bytes_view(hello), ByteView(), ByteView()};
    auto written = co_await connection.write(pieces, send);
    // As the sender does: small bodies go together, large ones piece by piece.
    const std::string& archive = work.peers.archive(0);
    const std::size_t piece = work.peers.fragment_bytes();
    constexpr std::size_t together_bytes = 64 * 1024;
    std::string small;
    for (std::uint64_t i = 0; i < objects && written.has_value(); ++i) {
        for (std::size_t at = 0; at < archive.size() && written.has_value(); at += piece) {
            const std::string_view bytes = std::string_view(archive).substr(at, piece);
            if (bytes.size() < together_bytes / 2) {
                small += bytes;
                if (small.size() < together_bytes && i + 1 < objects) continue;
                pieces[0] = as_bytes_view(small);
            } else {
                pieces[0] = as_bytes_view(bytes);
            }
            written = co_await connection.write(pieces, Deadline::exception(work.limit, "Timeout"));
            small.clear();
        }
    }
}

}  // namespace

Cost shovel(MemoryPeers& peers, const ObjectShape& shape, std::uint64_t objects,
            const PipelineLimits& limits) {
    asio::io_context io{1};
    SystemClock clock;
    http::Client client(io.get_executor(), "obj-reconstructor 1", clock);
    Work work{peers};
    work.gets_left = objects * static_cast<std::uint64_t>(shape.scheme.k);
    TaskGroup tasks(io.get_executor());
    const Stopwatch watch;
    for (std::size_t i = 0; i < limits.sessions * limits.read_ahead; ++i)
        tasks.spawn(read_all(client, work));
    for (std::size_t i = 0; i < limits.sessions; ++i)
        tasks.spawn(write_all(io.get_executor(), work, objects / limits.sessions));
    while (tasks.running() > 0)
        io.run_one();
    return watch.cost();
}

}  // namespace fragmend::bench
