// A client on loopback that says exactly what a test wants, and a server beside it on a thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "transport/http/server.hpp"

namespace fragmend::test {

/// One blocking connection. Every wait ends after a generous limit.
class RawClient {
  public:
    /// `window_bytes`: of its receive buffer, 0 for the system's choice.
    explicit RawClient(std::uint16_t port, int window_bytes = 0);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// False once the server does not take any more.
    bool send(std::string_view text);
    /// Reads until `marker` has come; returns everything up to its end. What is there of it when
    /// the server closes.
    std::string read_until(std::string_view marker);
    /// Reads until the server closes; returns everything.
    std::string read_to_end();
    /// Exactly so many bytes, fewer when the server closes.
    std::string read_bytes(std::size_t bytes);
    /// Ends our side; the server's answers still come.
    void end_sending();
    /// Closes with a reset.
    void reset();
    /// The server has closed and said nothing more.
    bool is_closed() { return read_to_end().empty(); }

  private:
    bool receive();
    int socket_ = -1;
    std::string received_;
};

/// Runs a server until it is destroyed.
class RunningServer {
  public:
    /// `handler` outlives this.
    RunningServer(transport::http::RequestHandler& handler, transport::http::ServerLimits limits,
                  Logger logger);
    ~RunningServer();
    std::uint16_t port() const { return port_; }
    asio::io_context& io() { return io_; }
    /// Stops and waits for the end of every handler.
    void stop();
    /// Runs `work` on the server's thread and waits for it.
    void on_its_thread(std::function<void(transport::http::Server&)> work);

  private:
    SystemClock clock_;
    asio::io_context io_{1};
    transport::http::Server server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

}  // namespace fragmend::test
