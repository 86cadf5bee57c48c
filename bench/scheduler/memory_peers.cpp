// Serving and receiving out of memory.
#include "bench/scheduler/memory_peers.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <random>
#include <utility>

#include "host/base/md5.hpp"
#include "host/codec/library.hpp"
#include "transport/http/chunked.hpp"

namespace fragmend::bench {
namespace {

using boost::system::error_code;
constexpr std::size_t read_bytes = 256 * 1024;

template <typename Buffers>
Awaitable<bool> say(asio::ip::tcp::socket& socket, Buffers buffers) {
    error_code code;
    co_await asio::async_write(socket, buffers, asio::redirect_error(asio::use_awaitable, code));
    co_return !code;
}

Awaitable<bool> say_chunk(asio::ip::tcp::socket& socket, std::string text) {
    std::string framed;
    transport::http::append_chunk(framed, text);
    co_return co_await say(socket, asio::buffer(framed));
}

}  // namespace

/// One SSYNC session: lines, and bodies that are compared as they come.
struct MemoryPeers::Session {
    const std::string& archive;
    std::string line{};
    std::string offered{};  ///< The answer to the missing check.
    bool updating = false;
    bool ended = false;
    bool answers = false;  ///< The offers are complete.
    std::uint64_t body_left = 0, body_at = 0, good = 0, wrong = 0;
    bool is_right = true;

    void feed(std::string_view data) {
        while (!data.empty()) {
            if (body_left > 0) {
                take_body(data);
                continue;
            }
            const auto end = data.find('\n');
            line += data.substr(0, end);
            if (end == data.npos) return;
            data.remove_prefix(end + 1);
            if (!line.empty() && line.back() == '\r') line.pop_back();
            take_line();
            line.clear();
        }
    }
    void take_body(std::string_view& data) {
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(body_left, data.size()));
        is_right = is_right && std::memcmp(data.data(), archive.data() + body_at, part) == 0;
        data.remove_prefix(part);
        body_at += part;
        body_left -= part;
        if (body_left == 0) ++(is_right ? good : wrong);
    }
    void take_line() {
        if (line == ":MISSING_CHECK: END") answers = true;
        if (line == ":UPDATES: START") updating = true;
        if (line == ":UPDATES: END") ended = true;
        if (!updating && !line.empty() && line.front() != ':') {
            offered += line.substr(0, 32) + " d\r\n";
        }
        if (line.starts_with("Content-Length: ")) length = std::stoull(line.substr(16));
        if (updating && line.empty()) {
            body_left = std::min<std::uint64_t>(length, archive.size());
            body_at = 0;
            is_right = length == archive.size();
        }
    }
    std::uint64_t length = 0;
};

MemoryPeers::MemoryPeers(const ObjectShape& shape, Manner manner, std::string hashes,
                         const std::string& metadata)
    : manner_(manner),
      hashes_("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(hashes.size()) + "\r\n\r\n" +
              hashes),
      tasks_(io_.get_executor()) {
    auto library = codec::LibraryInstance::create(shape.scheme).value();
    archives_.resize(static_cast<std::size_t>(shape.scheme.n()));
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < shape.segments; ++i) {
        std::vector<std::byte> segment(shape.segment_bytes);
        std::ranges::generate(segment, [&] { return static_cast<std::byte>(random()); });
        const auto fragments = library.encode(segment).value();
        fragment_bytes_ = fragments.front().size();
        for (std::string& archive : archives_)
            archive.reserve(fragment_bytes_ * shape.segments);
        for (std::size_t j = 0; j < archives_.size(); ++j)
            archives_[j] += as_text(fragments[j]);
    }
    for (std::size_t index = 0; index < archives_.size(); ++index) {
        heads_.push_back(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
            std::to_string(archives_[index].size()) + "\r\nEtag: \"" + md5_hex(archives_[index]) +
            "\"\r\nLast-Modified: Wed, 15 Nov 2023 04:26:40 GMT\r\nX-Timestamp: " + time.normal() +
            "\r\nX-Object-Sysmeta-Ec-Frag-Index: " + std::to_string(index) +
            "\r\nX-Object-Sysmeta-Ec-Etag: " + ec_etag + "\r\nX-Backend-Timestamp: " +
            time.internal() + "\r\n" + metadata + "X-Backend-Data-Timestamp: " + time.internal() +
            "\r\nX-Backend-Durable-Timestamp: " + time.internal() +
            "\r\nDate: Wed, 15 Nov 2023 04:26:40 GMT\r\n\r\n");
        listeners_.emplace_back(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        tasks_.spawn(listen(index));
    }
    thread_ = std::thread([this] { io_.run(); });
}

MemoryPeers::~MemoryPeers() {
    asio::post(io_, [this] {
        for (tcp::acceptor& listener : listeners_)
            listener.close();
    });
    thread_.join();
}

PeerView MemoryPeers::view() const {
    PeerView view{{}, archives_.front().size(), fragment_bytes_};
    for (std::size_t index = 0; index < listeners_.size(); ++index)
        view.nodes.push_back(node(index));
    return view;
}

Node MemoryPeers::node_at(std::size_t index, std::uint16_t port) {
    Node node;
    node.id = static_cast<std::uint32_t>(index);
    node.zone = static_cast<std::int64_t>(index);
    node.ip = node.replication_ip = "127.0.0.1";
    node.port = node.replication_port = port;
    node.device = "sd" + std::to_string(index);
    node.weight = 1;
    return node;
}

Awaitable<void> MemoryPeers::listen(std::size_t index) {
    for (;;) {
        error_code code;
        tcp::socket socket = co_await listeners_[index].async_accept(
            asio::redirect_error(asio::use_awaitable, code));
        if (code) co_return;
        socket.set_option(tcp::no_delay(true), code);
        tasks_.spawn(serve(std::move(socket), index));
    }
}

Awaitable<void> MemoryPeers::serve(tcp::socket socket, std::size_t index) {
    std::string buffer;
    for (;;) {
        error_code code;
        const std::size_t head =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                            asio::redirect_error(asio::use_awaitable, code));
        if (code) co_return;
        if (buffer.starts_with("SSYNC ")) {
            co_return co_await receive(socket, buffer.substr(head), index);
        }
        if (buffer.starts_with("SINK ")) co_return co_await sink(socket);
        if (buffer.starts_with("REPLICATE ")) {
            buffer.erase(0, head);
            const bool half = manner_ == Manner::stalls_when_hashing;
            const bool told = co_await say(socket, asio::buffer(std::string_view(hashes_).substr(
                                                       0, hashes_.size() / (1 + half))));
            if (!told) co_return;
            if (half) co_return co_await hang(socket);
            continue;
        }
        buffer.erase(0, head);
        const bool whole = manner_ != Manner::stalls_when_sending;
        const auto sent =
            std::string_view(archives_[index]).substr(0, archives_[index].size() / (whole ? 1 : 2));
        const std::array<asio::const_buffer, 2> answer{asio::buffer(heads_[index]),
                                                       asio::buffer(sent)};
        const bool said = co_await say(socket, answer);
        if (!said) co_return;
        if (manner_ == Manner::stalls_when_sending) co_return co_await hang(socket);
    }
}

Awaitable<void> MemoryPeers::hang(tcp::socket& socket) {
    asio::steady_timer never(socket.get_executor(), asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

Awaitable<void> MemoryPeers::sink(tcp::socket& socket) {
    std::vector<char> buffer(read_bytes);
    error_code code;
    while (!code) {
        co_await socket.async_read_some(asio::buffer(buffer),
                                        asio::redirect_error(asio::use_awaitable, code));
    }
}

Awaitable<void> MemoryPeers::receive(tcp::socket& socket, std::string rest, std::size_t index) {
    Session session{archives_[index]};
    const std::string accepted = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const bool said = co_await say(socket, asio::buffer(accepted));
    if (!said) co_return;
    transport::http::ChunkDecoder chunks;
    std::vector<char> buffer(read_bytes);
    ByteView ready = as_bytes_view(rest);
    while (!session.ended) {
        while (!ready.empty()) {
            const auto step = chunks.next(ready);
            if (step.has_error()) co_return;
            ready = ready.subspan(step->consumed);
            session.feed(as_text(step->data));
        }
        if (std::exchange(session.answers, false)) {
            std::string answer = ":MISSING_CHECK: START\r\n" + session.offered;
            const bool answered = co_await say_chunk(socket, answer + ":MISSING_CHECK: END\r\n");
            if (!answered) co_return;
        }
        if (session.ended) break;
        if (session.updating && manner_ == Manner::stalls_when_receiving)
            co_return co_await hang(socket);
        error_code code;
        const std::size_t got = co_await socket.async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
        if (code) co_return;
        ready = as_bytes_view({buffer.data(), got});
    }
    good_ += session.good;
    wrong_ += session.wrong;
    co_await say_chunk(socket, ":UPDATES: START\r\n:UPDATES: END\r\n");
    // The client's last chunk and its end.
    co_await sink(socket);
}

}  // namespace fragmend::bench
