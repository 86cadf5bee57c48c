// A network in memory, on virtual time: links with delays, windows, ends and resets.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/async.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/virtual_time.hpp"
#include "transport/http/request.hpp"

namespace fragmend::sim {

/// What happens later, in the order of its moments; at one moment in the order in which it was
/// said.
class Timeline {
  public:
    void after(Duration delay, std::function<void()> what);
    Moment next() const { return events_.empty() ? Moment::max() : events_.top().when; }
    /// Runs everything that is due.
    void run_due();

  private:
    struct Event {
        Moment when;
        std::uint64_t number;
        std::function<void()> what;
        bool operator<(const Event& other) const {
            return when != other.when ? when > other.when : number > other.number;
        }
    };
    std::priority_queue<Event> events_;
    std::uint64_t number_ = 0;
};

class Link;
using LinkPtr = std::shared_ptr<Link>;

/// The server's half of one link. Owned by it.
class ServerEnd {
  public:
    virtual ~ServerEnd() = default;
    virtual void receive(std::string_view bytes) = 0;
    /// The client is gone; nothing that is sent from now on arrives.
    virtual void client_closed() = 0;
};

/// One connection. The client's members are for the client's half, the rest for the network.
class Link {
  public:
    enum class Opening { connecting, open, refused };
    Opening opening = Opening::connecting;
    std::string arrived;      ///< Not yet taken by the client.
    bool peer_ended = false;  ///< After `arrived` comes the end.
    bool peer_reset = false;
    std::size_t room = 0;        ///< Bytes that the client may send now.
    std::function<void()> wake;  ///< Something of the above has changed.

    bool client_closed = false;
    bool server_closed = false;
    std::size_t window = 0;     ///< Towards the client.
    std::size_t under_way = 0;  ///< Sent to the client and not taken.
    std::string outbox;         ///< At the server, waiting for the window.
    bool ends_after_outbox = false;
    bool stalled = false;     ///< The server takes nothing for a while.
    std::size_t unread = 0;   ///< Taken from the client's room and not given back.
    std::uint64_t taken = 0;  ///< By the client in all.
    Moment began{};
    Moment at_server{};  ///< Nothing arrives there before.
    Moment at_client{};
    bool carries_archive = false;  ///< What the server says now is a fragment archive.
    transport::http::Peer peer;
    std::unique_ptr<ServerEnd> server;
};

/// All links of one world: a service of the io_context, so that the simulated `http::Connection`
/// finds it. A server hangs up a client that takes nothing for `client_timeout`, as Swift's do.
class Network final : public asio::execution_context::service {
  public:
    static inline asio::execution_context::id id;
    static constexpr std::chrono::seconds client_timeout{60};

    explicit Network(asio::execution_context& context) : service(context) {}

    enum class Answer { accept, refuse, silence };
    /// Who answers at an address: sets `link.server` when it accepts.
    std::function<Answer(const transport::http::Peer&, const LinkPtr&)> accept;
    Timeline timeline;
    Dice dice{0};
    Duration latency_max = std::chrono::milliseconds(2);
    bool client_is_dead = false;  ///< Killed: nothing that it sends from now on arrives.
    std::size_t links = 0;        ///< Open at the client.
    std::uint64_t bytes = 0;      ///< Delivered.
    std::size_t buffered = 0;     ///< In the receive buffers of all connections.
    /// Bytes of an archive were read out of a connection to this peer.
    std::function<void(const transport::http::Peer&, std::size_t)> on_read;

    // For the client's half.
    LinkPtr connect(const transport::http::Peer& peer);
    void send_to_server(const LinkPtr& link, std::string bytes);
    void take(const LinkPtr& link, std::size_t bytes);
    void close_by_client(const LinkPtr& link);

    // For the server's half.
    void send_to_client(const LinkPtr& link, std::string_view bytes);
    void end(const LinkPtr& link);
    void reset(const LinkPtr& link);
    /// The server takes nothing for so long.
    void stall(const LinkPtr& link, Duration length);

  private:
    void shutdown() override {}
    Duration latency();
    void pump(const LinkPtr& link);
    void give_room(const LinkPtr& link);
    static void wake(Link& link);
};

}  // namespace fragmend::sim
