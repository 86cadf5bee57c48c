// Requests over pooled connections.
#include "transport/http/client.hpp"

#include <algorithm>
#include <utility>

#include "transport/http/chunked_body.hpp"

namespace fragmend::transport::http {
namespace {

/// The head of an object is mostly below 2 KiB.
constexpr std::size_t head_read_bytes = 4 * 1024;
constexpr std::size_t body_read_bytes = 64 * 1024;
constexpr std::string_view connect_words = "ConnectionTimeout";
constexpr std::string_view answer_words = "Timeout";

Error closed_early() {
    return {errc::disconnected, "Remote end closed connection without response"};
}
Error body_too_long() {
    return {errc::limit, "a response body that is longer than its limit"};
}
Error body_too_short() {
    return {errc::disconnected, "a response body that ended early"};
}

Awaitable<Result<std::string>> read_chunked(Connection& connection, std::size_t bytes_max,
                                            Deadline deadline) {
    ChunkedBody body(bytes_max);
    for (;;) {
        auto taken = body.feed(connection.buffered());
        if (taken.has_error()) co_return taken.error();
        connection.consume(*taken);
        if (body.finished()) co_return body.take();
        auto filled = co_await connection.fill(body_read_bytes, deadline);
        if (filled.has_error()) co_return filled.error();
        if (*filled == 0) co_return body_too_short();
    }
}

Awaitable<Result<std::string>> read_counted(Connection& connection, std::uint64_t bytes,
                                            std::size_t bytes_max, Deadline deadline) {
    if (bytes > bytes_max) co_return body_too_long();
    // Grows with what arrives: an announced length alone buys no memory.
    std::string body;
    while (body.size() < bytes) {
        const std::size_t at = body.size();
        const auto part = std::min<std::uint64_t>(bytes - at, 1024 * 1024);
        body.resize(at + static_cast<std::size_t>(part));
        auto got =
            co_await connection.read(std::as_writable_bytes(std::span(body).subspan(at)), deadline);
        if (got.has_error()) co_return got.error();
        if (*got < part) co_return body_too_short();
    }
    co_return body;
}

Awaitable<Result<std::string>> read_to_end(Connection& connection, std::size_t bytes_max,
                                           Deadline deadline) {
    std::string body;
    for (;;) {
        const ByteView ready = connection.buffered();
        if (body.size() + ready.size() > bytes_max) co_return body_too_long();
        body += as_text(ready);
        connection.consume(ready.size());
        auto filled = co_await connection.fill(body_read_bytes, deadline);
        if (filled.has_error()) co_return filled.error();
        if (*filled == 0) co_return body;
    }
}

}  // namespace

Awaitable<Result<ResponseHead>> read_head(Connection& connection, std::size_t body_bytes_hint,
                                          Deadline deadline) {
    std::size_t searched = 0;
    for (;;) {
        const auto received = as_text(connection.buffered());
        if (const auto length = ResponseHead::length(received, searched)) {
            auto head = ResponseHead::parse(received.substr(0, *length));
            if (head.has_value()) connection.consume(*length);
            co_return head;
        }
        searched = received.size();
        if (searched >= head_bytes_max) {
            co_return Error{errc::limit, "a response head that is too long"};
        }
        auto filled = co_await connection.fill(head_read_bytes + body_bytes_hint, deadline);
        if (filled.has_error()) co_return filled.error();
        if (*filled == 0) co_return closed_early();
    }
}

Awaitable<Result<std::string>> read_body(Connection& connection, const ResponseHead& head,
                                         std::size_t bytes_max, Deadline deadline) {
    if (head.chunked()) co_return co_await read_chunked(connection, bytes_max, deadline);
    if (const auto length = head.content_length()) {
        const ByteView ready = connection.buffered();
        if (*length <= ready.size() && *length <= bytes_max) {
            std::string body(as_text(ready).substr(0, static_cast<std::size_t>(*length)));
            connection.consume(body.size());
            co_return body;
        }
        co_return co_await read_counted(connection, *length, bytes_max, deadline);
    }
    co_return co_await read_to_end(connection, bytes_max, deadline);
}

Awaitable<Result<ResponseHead>> Client::exchange(Connection& connection, const std::string& head,
                                                 Deadline send, const TimeLimit& answer,
                                                 std::size_t body_bytes_hint) {
    const std::array<ByteView, 3> pieces{as_bytes_view(head), ByteView(), ByteView()};
    auto written = co_await connection.write(pieces, send);
    if (written.has_error()) co_return written.error();
    co_return co_await read_head(connection, body_bytes_hint,
                                 Deadline::exception(answer, answer_words));
}

Awaitable<Result<Opened>> Client::open(Peer peer, std::string head, TimeLimit connect_and_send,
                                       TimeLimit answer, std::size_t body_bytes_hint,
                                       Abort& abort) {
    if (abort.aborted()) co_return Error{errc::cancelled, "aborted"};
    if (auto idle = pool_.take(peer)) {
        Connection connection = std::move(*idle);
        abort.watch(connection, true);
        const auto send = Deadline::exception(connect_and_send, connect_words);
        auto answered = co_await exchange(connection, head, send, answer, body_bytes_hint);
        if (answered.has_value()) co_return Opened{std::move(connection), std::move(*answered)};
        if (abort.aborted()) co_return Error{errc::cancelled, "aborted"};
        const bool stale = answered.error() == errc::disconnected && connection.buffered().empty();
        if (!stale) co_return answered.error();
    }
    Connection connection(executor_);
    abort.watch(connection, false);
    const auto send = Deadline::exception(connect_and_send, connect_words);
    auto connected = co_await connection.connect(peer, send);
    if (abort.aborted()) co_return Error{errc::cancelled, "aborted"};
    if (connected.has_error()) co_return connected.error();
    abort.connected();
    auto answered = co_await exchange(connection, head, send, answer, body_bytes_hint);
    if (abort.aborted()) co_return Error{errc::cancelled, "aborted"};
    if (answered.has_error()) co_return answered.error();
    co_return Opened{std::move(connection), std::move(*answered)};
}

void Client::finish(const Peer& peer, Opened opened, std::uint64_t body_bytes) {
    const std::size_t ready = opened.connection.buffered().size();
    // More than the body means that we no longer know where we are.
    if (!opened.head.keeps_alive() || ready != body_bytes) return;
    opened.connection.consume(ready);
    pool_.give(peer, std::move(opened.connection));
}

}  // namespace fragmend::transport::http
