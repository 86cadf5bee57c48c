// Blocking sockets, and an io_context on a thread.
#include "tests/support/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

namespace fragmend::test {
namespace {

constexpr int read_patience_ms = 30000;

}  // namespace

RawClient::RawClient(std::uint16_t port, int window_bytes) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (window_bytes > 0) {
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof window_bytes);
    }
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        std::perror("connect");
        std::abort();
    }
}

RawClient::~RawClient() {
    if (socket_ >= 0) ::close(socket_);
}

bool RawClient::send(std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::receive() {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, read_patience_ms) <= 0) return false;
    char block[65536];
    const auto got = ::recv(socket_, block, sizeof block, 0);
    if (got <= 0) return false;
    received_.append(block, static_cast<std::size_t>(got));
    return true;
}

std::string RawClient::read_until(std::string_view marker) {
    for (;;) {
        if (const auto at = received_.find(marker); at != std::string::npos) {
            auto text = received_.substr(0, at + marker.size());
            received_.erase(0, text.size());
            return text;
        }
        if (!receive()) return std::exchange(received_, {});
    }
}

std::string RawClient::read_to_end() {
    while (receive()) {
    }
    return std::exchange(received_, {});
}

std::string RawClient::read_bytes(std::size_t bytes) {
    while (received_.size() < bytes && receive()) {
    }
    auto text = received_.substr(0, bytes);
    received_.erase(0, text.size());
    return text;
}

void RawClient::end_sending() {
    ::shutdown(socket_, SHUT_WR);
}

void RawClient::reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket_);
    socket_ = -1;
}

RunningServer::RunningServer(transport::http::RequestHandler& handler,
                             transport::http::ServerLimits limits, Logger logger)
    : server_(io_.get_executor(), handler, std::move(limits), clock_, std::move(logger)) {
    server_.listen("127.0.0.1", 0).value();
    port_ = server_.port();
    asio::co_spawn(io_, server_.run(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    thread_ = std::thread([this] { io_.run(); });
}

void RunningServer::on_its_thread(std::function<void(transport::http::Server&)> work) {
    std::promise<void> done;
    asio::post(io_, [&] {
        work(server_);
        done.set_value();
    });
    done.get_future().wait();
}

void RunningServer::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { server_.stop(); });
    thread_.join();
}

RunningServer::~RunningServer() {
    stop();
}

}  // namespace fragmend::test
