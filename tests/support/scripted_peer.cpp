// Blocking sockets and an eventfd that lets everybody go.
#include "tests/support/scripted_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace fragmend::test {
namespace {

constexpr int peer_patience_ms = 30000;

void require(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    std::abort();
}

bool wait_for(int socket, short events, int released) {
    pollfd both[2] = {{socket, events, 0}, {released, POLLIN, 0}};
    if (::poll(both, 2, peer_patience_ms) <= 0) return false;
    return both[0].revents != 0;
}

}  // namespace

PeerConnection::~PeerConnection() {
    if (socket_ >= 0) ::close(socket_);
}

bool PeerConnection::receive() {
    if (!wait_for(socket_, POLLIN, released_)) return false;
    char block[65536];
    const auto got = ::recv(socket_, block, sizeof block, 0);
    if (got <= 0) return false;
    received_.append(block, static_cast<std::size_t>(got));
    return true;
}

std::string PeerConnection::read_until(std::string_view marker) {
    for (;;) {
        if (const auto at = received_.find(marker); at != std::string::npos) {
            auto text = received_.substr(0, at + marker.size());
            received_.erase(0, text.size());
            return text;
        }
        if (!receive()) return {};
    }
}

std::string PeerConnection::read_to_end() {
    while (receive()) {
    }
    return received_;
}

void PeerConnection::send(std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void PeerConnection::hang() {
    pollfd released{released_, POLLIN, 0};
    ::poll(&released, 1, peer_patience_ms);
}

void PeerConnection::reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket_);
    socket_ = -1;
}

ScriptedPeer::ScriptedPeer(std::vector<PeerScript> scripts, int receive_buffer_bytes) {
    released_ = ::eventfd(0, EFD_CLOEXEC);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(released_ >= 0 && listener_ >= 0, "socket");
    if (receive_buffer_bytes > 0) {
        ::setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                     sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener_, generic, length) == 0, "bind");
    require(::listen(listener_, 64) == 0, "listen");
    require(::getsockname(listener_, generic, &length) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
    thread_ =
        std::thread([this, scripts = std::move(scripts)]() mutable { serve(std::move(scripts)); });
}

void ScriptedPeer::serve(std::vector<PeerScript> scripts) {
    std::vector<std::thread> players;
    for (PeerScript& script : scripts) {
        if (!wait_for(listener_, POLLIN, released_)) break;
        const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (accepted < 0) break;
        const int one = 1;
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        players.emplace_back([accepted, script = std::move(script), released = released_] {
            PeerConnection connection(accepted, released);
            script(connection);
        });
    }
    for (std::thread& player : players)
        player.join();
}

void ScriptedPeer::finish() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    require(::write(released_, &one, sizeof one) == sizeof one, "release");
    thread_.join();
}

ScriptedPeer::~ScriptedPeer() {
    finish();
    ::close(listener_);
    ::close(released_);
}

std::string chunk(std::string_view text) {
    char head[32];
    std::snprintf(head, sizeof head, "%zx\r\n", text.size());
    return head + std::string(text) + "\r\n";
}

}  // namespace fragmend::test
