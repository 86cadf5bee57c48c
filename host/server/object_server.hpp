// The object server of the replication network: which verb is answered by whom.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/base/async.hpp"
#include "host/server/backend_request.hpp"
#include "host/server/object_get.hpp"
#include "host/server/policy_store.hpp"
#include "host/server/server_options.hpp"
#include "host/server/ssync_objects.hpp"
#include "transport/http/server.hpp"

namespace fragmend::server {

/// What a server works with; everything outlives it. One process may hold several servers, each
/// with options and stores of its own, on the same executors.
struct ServerSetup {
    asio::any_io_executor network;
    asio::any_io_executor disks;
    const ServerOptions& options;
    const PolicyStores& stores;
    const swift::Constraints& constraints;
    const FragmentAudit* audit = nullptr;
    const Clock& clock;
    Logger logger;
    Metrics* metrics = nullptr;
};

/// Answers requests. Owned by whoever listens; runs on the network executor, blocking work on disk
/// threads. Source: swift.obj.server.ObjectController.__call__.
class ObjectServer final : public transport::http::RequestHandler {
  public:
    explicit ObjectServer(ServerSetup setup);
    ~ObjectServer() override;

    Awaitable<void> handle(transport::http::Exchange& exchange) override;

  private:
    using Exchange = transport::http::Exchange;

    Awaitable<void> dispatch(Exchange& exchange, std::string path, HeaderMap headers);
    Awaitable<void> serve(Exchange& exchange, std::string method, std::string path,
                          HeaderMap headers);
    Awaitable<void> get(Exchange& exchange, BackendRequest request);
    Awaitable<Result<void>> stream(Exchange& exchange, ArchiveReader& reader,
                                   const ArchiveBody& body);
    /// The reader's range straight from its file.
    Awaitable<Result<void>> send(Exchange& exchange, ArchiveReader& reader);
    Awaitable<void> replicate(Exchange& exchange, BackendRequest request);
    Awaitable<void> ssync(Exchange& exchange, BackendRequest request);
    Awaitable<void> put(Exchange& exchange, BackendRequest request);
    Awaitable<void> change(Exchange& exchange, BackendRequest request);
    Awaitable<bool> answer_before_objects(Exchange& exchange, const std::string& path);
    Awaitable<void> answer(Exchange& exchange, Reply reply);
    Reply options_reply() const;
    /// Logs once that writes are refused.
    void tell_of_part_power(const BackendRequest& request);
    bool allows(std::string_view method) const;
    void log_cut(const Exchange& exchange, const Error& error) const;
    void log_request(const Exchange& exchange, double seconds) const;

    ServerSetup setup_;
    transport::TimeLimit client_limit_;
    SessionPlaces places_;
    LockLines lines_;
    AccessLog log_;
    Semaphore memory_;   ///< Bytes of bodies that sessions collect before they are written.
    Semaphore hashing_;  ///< Disk threads for REPLICATE, so that some are left for all others.
    bool told_of_part_power_ = false;
    SessionSetup sessions_;
};

}  // namespace fragmend::server
