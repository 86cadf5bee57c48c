// One object server inside this process, on a thread of its own and a port of the kernel's choice.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "host/server/object_server.hpp"

namespace fragmend::demo {

/// Answers `delay` later than it could: what a network costs that loopback has not. A session is
/// one request, so it is late once. Owned by its server.
class DelayedHandler final : public transport::http::RequestHandler {
  public:
    DelayedHandler(transport::http::RequestHandler& inner, std::chrono::microseconds delay)
        : inner_(inner), delay_(delay) {}
    Awaitable<void> handle(transport::http::Exchange& exchange) override;

  private:
    transport::http::RequestHandler& inner_;
    std::chrono::microseconds delay_;
};

/// The same server as `fragmend server`, with its own network thread and disk threads.
/// Life: `listen`, then `start` when what it serves is there, then `stop`.
class EmbeddedServer {
  public:
    /// All references outlive it; `stores` may be filled until `start`.
    EmbeddedServer(const server::ServerOptions& options, const server::PolicyStores& stores,
                   const swift::Constraints& constraints, const server::FragmentAudit* audit,
                   const Clock& clock, const Logger& logger, std::chrono::microseconds delay);
    ~EmbeddedServer();
    EmbeddedServer(const EmbeddedServer&) = delete;
    EmbeddedServer& operator=(const EmbeddedServer&) = delete;

    /// At 127.0.0.1. Errors: io.
    Result<void> listen();
    std::uint16_t port() const { return listener_.port(); }
    void start();
    /// Closes all connections and waits for what runs.
    void stop();

  private:
    void run();

    asio::io_context io_{1};
    asio::thread_pool disks_;
    server::ObjectServer objects_;
    DelayedHandler delayed_;
    transport::http::Server listener_;
    std::thread thread_;
};

}  // namespace fragmend::demo
