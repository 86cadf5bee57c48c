// Accepting and serving.
#include "transport/http/server.hpp"

#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>

#include "transport/http/head_text.hpp"

namespace fragmend::transport::http {
namespace {

using tcp = asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t head_read_bytes = 4 * 1024;
/// What the kernel takes ahead of the wire for one client. Without this bound it takes megabytes,
/// so clients that never read would have that much read and hashed for each of their requests.
constexpr int unsent_bytes_max = 256 * 1024;
/// Pause after an accept that failed for lack of descriptors or memory.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::string_view head_words = "request head";

Error listen_error(const std::string& address, std::uint16_t port, const error_code& code) {
    return {errc::io,
            "cannot listen at " + address + ":" + std::to_string(port) + ": " + code.message()};
}

}  // namespace

/// One connection and what it is doing.
struct Server::Link {
    Connection connection;
    std::string peer;
    bool waiting = true;  ///< For a request, whole or in part.
    bool evicted = false;
    steady_clock::time_point waiting_since = steady_clock::now();
};

struct Server::Acceptor {
    explicit Acceptor(const asio::any_io_executor& executor) : socket(executor), pause(executor) {}
    tcp::acceptor socket;
    asio::steady_timer pause;
};

Server::Server(asio::any_io_executor executor, RequestHandler& handler, ServerLimits limits,
               const Clock& clock, Logger logger)
    : executor_(std::move(executor)),
      handler_(handler),
      limits_(std::move(limits)),
      clock_(clock),
      logger_(std::move(logger)),
      acceptor_(std::make_unique<Acceptor>(executor_)),
      tasks_(executor_),
      place_free_(executor_) {}
Server::~Server() = default;

Result<void> Server::listen(const std::string& address, std::uint16_t port) {
    error_code code;
    const auto ip = asio::ip::make_address(address, code);
    if (code) return listen_error(address, port, code);
    const tcp::endpoint endpoint(ip, port);
    tcp::acceptor& socket = acceptor_->socket;
    socket.open(endpoint.protocol(), code);
    if (!code) socket.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) socket.bind(endpoint, code);
    if (!code) socket.listen(limits_.backlog, code);
    if (code) return listen_error(address, port, code);
    // Inherited by what is accepted.
    const int one = 1;
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_KEEPIDLE, &limits_.keep_idle_s,
                 sizeof limits_.keep_idle_s);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max,
                 sizeof unsent_bytes_max);
    return {};
}

std::uint16_t Server::port() const {
    error_code ignored;
    return acceptor_->socket.local_endpoint(ignored).port();
}

Awaitable<void> Server::run() {
    while (accepting_) {
        tcp::socket socket(executor_);
        error_code code;
        co_await acceptor_->socket.async_accept(socket,
                                                asio::redirect_error(asio::use_awaitable, code));
        if (!accepting_) break;
        if (code) {
            logger_.warning("accept failed: " + code.message());
            acceptor_->pause.expires_after(accept_pause);
            co_await acceptor_->pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
            continue;
        }
        const auto remote = socket.remote_endpoint(code);
        if (code) continue;
        const bool is_v6 = remote.address().is_v6();
        const int fd = socket.release(code);
        if (code) continue;
        Connection connection = Connection::adopt(executor_, fd, is_v6);
        while (links_.size() >= limits_.connections_max && accepting_) {
            evict();
            co_await place_free_.wait();
        }
        if (!accepting_) break;
        links_.push_back({std::move(connection), remote.address().to_string()});
        tasks_.spawn(serve(std::prev(links_.end())));
    }
    co_await tasks_.join();
}

void Server::evict() {
    Link* longest = nullptr;
    for (Link& link : links_) {
        if (!link.waiting || link.evicted) continue;
        if (longest == nullptr || link.waiting_since < longest->waiting_since) longest = &link;
    }
    if (longest == nullptr) return;
    longest->evicted = true;
    longest->connection.close();
}

void Server::stop() {
    finish();
    stopping_ = true;
    for (Link& link : links_)
        link.connection.close();
}

void Server::finish() {
    accepting_ = false;
    error_code ignored;
    acceptor_->socket.close(ignored);
    acceptor_->pause.cancel();
    place_free_.notify();
    for (Link& link : links_) {
        if (!link.waiting || !link.connection.buffered().empty()) continue;
        link.evicted = true;
        link.connection.close();
    }
}

Awaitable<Result<RequestHead>> Server::next_head(Link& link) {
    Connection& connection = link.connection;
    std::size_t searched = 0;
    auto deadline = Deadline::stage(limits_.client, head_words);
    for (;;) {
        const auto received = as_text(connection.buffered());
        if (const auto length = head_length(received, searched)) {
            auto head =
                RequestHead::parse(received.substr(0, *length), limits_.header_line_bytes_max);
            if (head.has_value()) connection.consume(*length);
            co_return head;
        }
        searched = received.size();
        if (searched >= request_head_bytes_max) {
            co_return Error{errc::limit, "a request head that is too long"};
        }
        auto filled = co_await connection.fill(head_read_bytes, deadline);
        if (filled.has_error()) co_return filled.error();
        if (*filled == 0) co_return Error{errc::disconnected, "closed"};
        // The whole head has one limit, from its first bytes on.
        if (searched == 0) deadline = Deadline::stage(limits_.client, head_words);
    }
}

Awaitable<void> Server::refuse(Link& link, const Error& error) {
    if (error != errc::protocol && error != errc::limit) co_return;
    logger_.debug(link.peer + " sent a bad request: " + error.detail);
    constexpr std::string_view bad =
        "HTTP/1.0 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    constexpr std::string_view large =
        "HTTP/1.0 400 Headers Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    const std::array<ByteView, 3> pieces{as_bytes_view(error == errc::limit ? large : bad),
                                         ByteView(), ByteView()};
    const auto deadline = Deadline::stage(limits_.client, head_words);
    auto ignored = co_await link.connection.write(pieces, deadline);
    static_cast<void>(ignored);
}

Awaitable<void> Server::serve(Links::iterator link) {
    while (!stopping_ && !link->evicted) {
        link->waiting = true;
        link->waiting_since = steady_clock::now();
        if (links_.size() >= limits_.connections_max) place_free_.notify();
        auto head = co_await next_head(*link);
        link->waiting = false;
        if (link->evicted || stopping_) break;
        if (head.has_error()) {
            co_await refuse(*link, head.error());
            break;
        }
        Exchange exchange(link->connection, std::move(*head), link->peer, clock_, limits_.client);
        co_await handler_.handle(exchange);
        co_await exchange.settle(Deadline::stage(limits_.client, head_words));
        if (!exchange.reusable() || !accepting_) break;
        link->connection.trim();
    }
    link->connection.close();
    links_.erase(link);
    place_free_.notify();
}

}  // namespace fragmend::transport::http
