// Idle connections.
#include "transport/http/pool.hpp"

#include <utility>

namespace fragmend::transport::http {

std::optional<Connection> Pool::take(const Peer& peer) {
    const auto now = clock_.steady();
    const auto found = peers_.find(key(peer));
    if (found == peers_.end()) return std::nullopt;
    auto& waiting = found->second;
    while (!waiting.empty()) {
        Idle newest = std::move(waiting.back());
        waiting.pop_back();
        --idle_;
        if (now - newest.since < limits_.idle_age_max && newest.connection.is_quiet()) {
            return std::move(newest.connection);
        }
    }
    peers_.erase(found);
    return std::nullopt;
}

void Pool::give(const Peer& peer, Connection connection) {
    const auto now = clock_.steady();
    if (now - swept_ >= limits_.idle_age_max || idle_ >= limits_.idle_total_max) sweep(now);
    if (idle_ >= limits_.idle_total_max || !connection.is_open()) return;
    auto& waiting = peers_[key(peer)];
    if (waiting.size() >= limits_.idle_per_peer_max) return;
    connection.trim();
    waiting.push_back({std::move(connection), now});
    ++idle_;
}

void Pool::sweep(std::chrono::steady_clock::time_point now) {
    swept_ = now;
    for (auto peer = peers_.begin(); peer != peers_.end();) {
        auto& waiting = peer->second;
        while (!waiting.empty() && now - waiting.front().since >= limits_.idle_age_max) {
            waiting.pop_front();
            --idle_;
        }
        peer = waiting.empty() ? peers_.erase(peer) : std::next(peer);
    }
}

void Pool::close() {
    peers_.clear();
    idle_ = 0;
}

}  // namespace fragmend::transport::http
