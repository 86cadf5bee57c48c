// One SYNC job: compare suffixes with each partner, and send what it lacks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/scan/agreement.hpp"
#include "host/scan/jobs.hpp"
#include "host/scan/turns.hpp"
#include "host/sync/services.hpp"
#include "host/sync/session_objects.hpp"
#include "transport/replicate/replicate.hpp"
#include "transport/ssync/sender.hpp"

namespace fragmend::sync {

/// Sessions towards one partner in one job: the first one, and retries after a session that was
/// lost for a reason that another try may not meet again.
inline constexpr int session_tries_max = 4;
/// Sessions that bodies of ours broke off; those are no tries, because Suspects ends each of them.
inline constexpr int broken_sessions_max = 64;

/// What a lost session asks for.
enum class AfterSession { done, try_again, try_again_later, give_up };

/// Pure: what to do after `tries` sessions, the last of which ended with `result`. A lost
/// connection and a lock that somebody else held are tried again (the lock after a pause); what a
/// peer refuses is left to the next pass.
AfterSession after_session(const transport::ssync::SessionResult& result, int tries);

/// Whom a job turns to this time. By default it is everybody, and nothing is put off.
struct Visits {
    std::size_t round = scan::rounds_max - 1;
    std::vector<std::uint32_t> devices;  ///< Ids; empty: all partners.
};

/// Runs `job` from its partners to the statistics. A partner of a later round than that of `visits`
/// is only looked at: if it lacks something, it is put off. One partner's failure never stops the
/// next. Errors are counted, logged and never returned. Runs on the network thread; `services` and
/// `policy` outlive it. Source: swift.obj.reconstructor.ObjectReconstructor._sync.
class SyncJobRun {
  public:
    SyncJobRun(Services& services, const PolicyContext& policy, const scan::SyncJob& job,
               Visits visits = {});
    Awaitable<void> run();
    /// Partners that lack something and are for a later round.
    std::vector<std::uint32_t> take_put_off() { return std::move(put_off_); }
    /// Ends the sessions of this job soon.
    void cancel();

  private:
    /// A partner that answered, and what it lacks.
    struct Delta {
        Node node;
        int backend_index = 0;
        std::vector<std::string> suffixes;
    };

    Awaitable<void> sync_with(const scan::Partner& partner);
    /// Asks the partner, then handoffs in its place while they are unmounted. Nothing when nobody
    /// answered, or who did lacks nothing.
    Awaitable<std::optional<Delta>> find_delta(const scan::Partner& partner);
    /// One REPLICATE among those that may be under way; `suffixes` as ReplicateRequest has them.
    Awaitable<Result<transport::replicate::ReplicateAnswer>> replicate(const Node& node,
                                                                       std::string suffixes);
    /// An answer, read in full only when it differs from what we have.
    struct Remote {
        swift::PartitionHashes hashes;
        bool agrees = false;
    };
    Awaitable<std::optional<Remote>> remote_hashes(const Node& node, int backend_index,
                                                   bool& unmounted);
    /// `looks_twice`: what differs is compared again with fresh hashes of our own disk.
    Awaitable<std::optional<Delta>> compare(Node node, int backend_index,
                                            swift::PartitionHashes remote, bool looks_twice);
    /// What came of a session, and what it did.
    struct Ended {
        transport::ssync::SessionResult result;
        SessionCounts counts;
    };
    Awaitable<Ended> session(const Delta& delta);
    /// Tells primaries to distrust what they keep of suffixes where a fragment was missing.
    Awaitable<void> report_holes();
    /// Waits before the next try, unless the job is cancelled.
    Awaitable<void> pause(std::chrono::milliseconds length);
    void account(const Delta& delta, const Ended& ended);
    /// Of the last session towards a partner: an object that failed is counted once, whatever the
    /// tries.
    void account_failures(const Delta& delta, const SessionCounts& counts);
    std::string path_at(const Node& node) const;

    Services& services_;
    const PolicyContext& policy_;
    const scan::SyncJob& job_;
    Visits visits_;
    const scan::Agreement agreement_;
    std::vector<std::uint32_t> put_off_;
    bool cancelled_ = false;
    transport::ssync::Sender* sender_ =
        nullptr;                              ///< The session that runs, in the frame of `session`.
    transport::http::Abort* call_ = nullptr;  ///< The REPLICATE call that runs.
    asio::steady_timer pause_;
    Holes holes_;
    Activity activity_;
};

}  // namespace fragmend::sync
