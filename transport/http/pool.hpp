// Connections that wait for their next request.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "host/base/clock.hpp"
#include "transport/http/connection.hpp"

namespace fragmend::transport::http {

struct PoolLimits {
    std::size_t idle_per_peer_max = 32;
    std::size_t idle_total_max = 1024;
    /// Below Swift's client_timeout of 60 s, after which a server hangs up by itself.
    std::chrono::seconds idle_age_max{20};
};

/// Idle keep-alive connections, a bounded number a peer and in total, each for a bounded time.
/// Owned by the client; one thread. Closing is the answer to every bound.
class Pool {
  public:
    /// `clock` outlives the pool.
    Pool(PoolLimits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

    /// The connection to `peer` that was used last, if there is one on which the peer was silent
    /// since.
    std::optional<Connection> take(const Peer& peer);
    /// Keeps a connection whose last exchange is complete; closes it where the bounds say so.
    void give(const Peer& peer, Connection connection);
    void close();

    std::size_t idle() const { return idle_; }

  private:
    struct Idle {
        Connection connection;
        std::chrono::steady_clock::time_point since;
    };
    static std::string key(const Peer& peer) { return peer.host + ' ' + std::to_string(peer.port); }
    void sweep(std::chrono::steady_clock::time_point now);

    PoolLimits limits_;
    const Clock& clock_;
    std::unordered_map<std::string, std::deque<Idle>> peers_;  ///< Oldest first.
    std::size_t idle_ = 0;
    std::chrono::steady_clock::time_point swept_{};
};

}  // namespace fragmend::transport::http
