// The disk behind one incoming SSYNC session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/metrics.hpp"
#include "host/server/access_log.hpp"
#include "host/server/backend_request.hpp"
#include "host/server/object_rules.hpp"
#include "host/server/session_lock.hpp"
#include "transport/ssync/receiver_ports.hpp"

namespace fragmend::server {

/// What every session of a server shares.
struct SessionSetup {
    asio::any_io_executor network;
    asio::any_io_executor disks;
    WriteRules rules;
    const PolicyStores& stores;
    SessionPlaces& places;
    LockLines& lines;
    Semaphore& memory;
    const AccessLog& log;
    Metrics* metrics;  ///< Null where nobody listens.
};

/// Looks at offers and serves sub-requests of one partition. Lives as long as its session; network
/// thread, with the work on disk threads. Source: swift.obj.ssync_receiver.Receiver.
class SsyncObjects final : public transport::ssync::ReceiverObjects {
  public:
    /// `request` is the SSYNC itself. `setup` outlives the session.
    SsyncObjects(const SessionSetup& setup, BackendRequest request, std::optional<int> frag_index);

    Awaitable<Result<void>> lock() override;
    Awaitable<std::vector<Result<std::optional<transport::ssync::Wanted>>>> check(
        std::vector<transport::ssync::Offer> offers) override;
    Awaitable<transport::ssync::Verdict> serve(transport::ssync::SubRequestHead head,
                                               ByteView body) override;
    Awaitable<std::unique_ptr<transport::ssync::OpenPut>> open_put(
        transport::ssync::SubRequestHead head) override;

  private:
    /// The sub-request as a request of its own. Answers: 400, 412, 503.
    Answered<BackendRequest> sub_request(transport::ssync::SubRequestHead head) const;
    /// `body` lives until it returns.
    Awaitable<transport::ssync::Verdict> answer(Answered<BackendRequest> request, ByteView body);

    const SessionSetup& setup_;
    BackendRequest request_;
    std::optional<int> frag_index_;
    std::optional<SessionPlaces::Place> place_;
    std::optional<SessionLock> lock_;
};

/// What is at an offered object's place, after committing a fragment that only waits for that.
/// Blocks. Errors: name_collision for an object that cannot lie in this partition.
Result<std::optional<transport::ssync::Wanted>> look_at_offer(const BackendRequest& session,
                                                              const transport::ssync::Offer& offer,
                                                              std::optional<int> frag_index,
                                                              bool fsync);

}  // namespace fragmend::server
