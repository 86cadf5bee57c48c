// `fragmend server`: one process that serves a node's replication port.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>

#include "host/app/command_line.hpp"
#include "host/app/fragment_audit.hpp"
#include "host/app/log_sinks.hpp"
#include "host/app/statsd.hpp"
#include "host/server/object_server.hpp"
#include "host/swift/swift_conf.hpp"

namespace fragmend::app {

/// Lives in `main`. TERM and INT end it: open connections are closed, work on disks is finished.
/// HUP and USR1, with which Swift's servers make room for their successor, end it, too, but only
/// when every request that has begun is answered: the port is free at once. They wait until it
/// listens.
/// Source: swift.common.wsgi.run_wsgi.
class ServerProcess {
  public:
    /// Reads the configuration and says what is wrong. Errors: bad_config, not_found, io.
    static Result<std::unique_ptr<ServerProcess>> make(const CommandLine& line);
    ~ServerProcess();
    /// Serves until told to end. Returns the exit code.
    int run();

  private:
    ServerProcess(const CommandLine& line, server::ServerOptions options, swift::SwiftConf conf);
    Result<void> settle();
    void load_stores();
    /// Tries for `bind_timeout`, as Swift does while an older process still holds the port.
    Result<void> listen();
    Awaitable<void> serve();
    Awaitable<void> heed_signals();
    Metrics* metrics() { return statsd_ ? &*statsd_ : nullptr; }

    CommandLine line_;
    SystemClock clock_;
    server::ServerOptions options_;
    swift::SwiftConf conf_;
    SyslogSink syslog_;
    StderrSink stderr_;
    TeeSink tee_;
    Logger log_;
    std::optional<Statsd> statsd_;
    CodecAudit audit_;
    server::PolicyStores stores_;
    asio::io_context io_{1};
    asio::thread_pool disks_;
    std::unique_ptr<server::ObjectServer> objects_;
    std::unique_ptr<transport::http::Server> listener_;
    std::unique_ptr<asio::signal_set> signals_;
};

}  // namespace fragmend::app
