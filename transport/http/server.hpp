// A bounded HTTP/1.1 server: accepts, reads heads, hands requests to a handler, keeps connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "host/base/async.hpp"
#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "transport/http/exchange.hpp"

namespace fragmend::transport::http {

struct ServerLimits {
    std::size_t connections_max = 1024;                          ///< max_clients.
    int backlog = 4096;                                          ///< Of the listening socket.
    int keep_idle_s = 600;                                       ///< TCP_KEEPIDLE.
    std::size_t header_line_bytes_max = request_line_bytes_max;  ///< max_header_size.
    TimeLimit client = TimeLimit::from_float(60);                ///< client_timeout: each wait.
};

/// Who answers. Owned by host/server; outlives the server.
class RequestHandler {
  public:
    virtual ~RequestHandler() = default;
    /// Answers one request through `exchange`, which outlives the call. A handler that returns
    /// without a complete answer ends the connection.
    virtual Awaitable<void> handle(Exchange& exchange) = 0;
};

/// All connections of one listening socket. Runs on one executor.
/// Bounds: `connections_max` connections. When one more comes, the one that has waited longest for
/// a request makes room, so that peers which only hold connections open cost nobody else anything;
/// if all of them are being served, the newcomer waits in the backlog. A head has one
/// client_timeout to come, however slowly its bytes trickle. Life: `run` returns when `stop` or
/// `finish` was called and all handlers have returned.
class Server {
  public:
    /// `handler`, `clock` and what `logger` writes to outlive the server.
    Server(asio::any_io_executor executor, RequestHandler& handler, ServerLimits limits,
           const Clock& clock, Logger logger);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens at a numeric address; port 0 takes any free one. Errors: io, with what was asked.
    Result<void> listen(const std::string& address, std::uint16_t port);
    /// The port that is listened at.
    std::uint16_t port() const;

    /// Accepts and serves until stopped. To be called once, after `listen`.
    Awaitable<void> run();
    /// Stops accepting, closes every connection: handlers see `cancelled`.
    void stop();
    /// Stops accepting and closes connections that wait for a request; the others end with the
    /// answer to the one they have begun. `stop` may still follow.
    void finish();

    std::size_t connections() const { return links_.size(); }

  private:
    struct Link;
    using Links = std::list<Link>;
    struct Acceptor;

    Awaitable<void> serve(Links::iterator link);
    Awaitable<Result<RequestHead>> next_head(Link& link);
    Awaitable<void> refuse(Link& link, const Error& error);
    /// Closes the connection that waits longest for a request, if any does.
    void evict();

    asio::any_io_executor executor_;
    RequestHandler& handler_;
    ServerLimits limits_;
    const Clock& clock_;
    Logger logger_;
    std::unique_ptr<Acceptor> acceptor_;
    Links links_;
    TaskGroup tasks_;
    Signal place_free_;
    bool accepting_ = true;
    bool stopping_ = false;
};

}  // namespace fragmend::transport::http
