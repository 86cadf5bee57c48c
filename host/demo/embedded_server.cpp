// Start and end of a server inside this process.
#include "host/demo/embedded_server.hpp"

#include <boost/asio/redirect_error.hpp>

namespace fragmend::demo {
namespace {

transport::http::ServerLimits limits_of(const server::ServerOptions& options) {
    transport::http::ServerLimits limits;
    limits.connections_max = static_cast<std::size_t>(options.max_clients);
    limits.client = transport::TimeLimit::from_float(options.client_timeout_s);
    return limits;
}

}  // namespace

Awaitable<void> DelayedHandler::handle(transport::http::Exchange& exchange) {
    if (delay_ > delay_.zero()) {
        asio::steady_timer timer(co_await asio::this_coro::executor, delay_);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await inner_.handle(exchange);
}

EmbeddedServer::EmbeddedServer(const server::ServerOptions& options,
                               const server::PolicyStores& stores,
                               const swift::Constraints& constraints,
                               const server::FragmentAudit* audit, const Clock& clock,
                               const Logger& logger, std::chrono::microseconds delay)
    : disks_(static_cast<std::size_t>(options.disk_threads)),
      objects_(server::ServerSetup{io_.get_executor(), disks_.get_executor(), options, stores,
                                   constraints, audit, clock, logger}),
      delayed_(objects_, delay),
      listener_(io_.get_executor(), delayed_, limits_of(options), clock, logger) {}

EmbeddedServer::~EmbeddedServer() {
    stop();
    disks_.join();
}

Result<void> EmbeddedServer::listen() {
    return listener_.listen("127.0.0.1", 0);
}

void EmbeddedServer::start() {
    thread_ = std::thread([this] { run(); });
}

void EmbeddedServer::run() {
    TaskGroup main(io_.get_executor());
    main.spawn(listener_.run());
    io_.run();
}

void EmbeddedServer::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { listener_.stop(); });
    thread_.join();
}

}  // namespace fragmend::demo
