// One partner of a SYNC job: what it lacks, and the sessions that bring it there.
#pragma once

#include <boost/container/flat_set.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/scan/agreement.hpp"
#include "host/scan/jobs.hpp"
#include "host/sync/pacer.hpp"
#include "host/sync/replicate_calls.hpp"
#include "host/sync/services.hpp"
#include "host/sync/session_objects.hpp"
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

/// A device that answered, and what it lacks.
struct Delta {
    Node node;  ///< The partner, or a handoff in its place.
    int backend_index = 0;
    std::vector<swift::SuffixName> suffixes;  ///< At least one.
};

/// Errors are counted, logged and never returned. Owned by the job; everything that the constructor
/// takes outlives it. Runs on the network thread.
class PartnerSync {
  public:
    PartnerSync(Services& services, const PolicyContext& policy, const scan::SyncJob& job,
                const scan::Partner& partner, const scan::Agreement& agreement, Holes& holes,
                ReplicateCalls& calls, Activity& activity);

    /// Asks the partner, then handoffs in its place while they are unmounted. `closely`: what
    /// differs is compared again with fresh hashes of our own disk.
    Awaitable<void> look(bool closely);
    /// What the last look or session left to be sent; nothing when there is nothing to do.
    const std::optional<Delta>& delta() const { return delta_; }
    const scan::Partner& partner() const { return partner_; }

    /// Sessions until the partner has what `delta` says, or another one is of no use. What they
    /// rebuild they rebuild for `later`, too, as far as these lack it. Looks closely before the
    /// first.
    Awaitable<void> send(std::vector<LaterTarget> later);
    /// No further session begins.
    void cancel(Ending ending);

  private:
    /// Nothing when nobody answered, or who did lacks nothing.
    Awaitable<std::optional<Delta>> find_delta(bool closely);
    /// What the partner's answer tells of its device.
    void note_risk(bool is_lost);
    /// An answer, read in full only when it differs from what we have.
    struct Remote {
        scan::HashPairs hashes;
        bool agrees = false;
    };
    Awaitable<std::optional<Remote>> remote_hashes(const Node& node, int backend_index,
                                                   bool& unmounted);
    Awaitable<std::optional<Delta>> compare(Node node, int backend_index, scan::HashPairs remote,
                                            bool closely);
    /// What came of a session, and what it did.
    struct Ended {
        transport::ssync::SessionResult result;
        SessionCounts counts;
        std::vector<swift::SuffixName>
            left;  ///< Suffixes that a session with an end had no room for.
        std::vector<transport::fragments::DamagedArchive> damaged;
    };
    Awaitable<Ended> session(const std::vector<LaterTarget>& later);
    /// Decides whether the session was the last one; if not, looks at what is left.
    Awaitable<void> go_on_after(Ended ended);
    /// Makes the owners of damaged archives look at them; holds nothing that others wait for.
    Awaitable<void> have_checked(std::vector<transport::fragments::DamagedArchive> damaged);
    /// Waits as survivors that are read for a rebuild do.
    Awaitable<Result<void>> may_check(Pacer& pacer, scheduler::Endpoint from, std::size_t bytes);
    /// Waits before the next try, unless the job is cancelled.
    Awaitable<void> pause(std::chrono::milliseconds length);
    void account(const Ended& ended);
    /// Of the last session: an object that failed is counted once, whatever the tries, and so is a
    /// session that is not tried again.
    void account_failures(const Ended& ended);
    std::string path_at(const Node& node) const;

    Services& services_;
    const PolicyContext& policy_;
    const scan::SyncJob& job_;
    const scan::Partner& partner_;
    const scan::Agreement& agreement_;  ///< Of the job's hashes.
    Holes& holes_;
    ReplicateCalls& calls_;  ///< Of the job, which cancels them.
    Activity& activity_;
    std::optional<Delta> delta_;
    bool is_close_ = false;  ///< Whether the last look was a close one.
    /// Suffixes that sessions without room for all of them have dealt with: they stay dealt with,
    /// whatever could not be rebuilt there.
    boost::container::flat_set<swift::SuffixName> dealt_with_;
    int tries_ = 0;
    int broken_ = 0;
    bool cancelled_ = false;
    Semaphore::Cancel line_;                      ///< Ends its waits for slots and places.
    transport::ssync::Sender* sender_ = nullptr;  ///< The session that runs, in its frame.
    asio::steady_timer* pause_ = nullptr;         ///< The same of a pause.
    transport::http::Abort* look_ = nullptr;      ///< The same of a second look.
};

/// What an operator knows the job by.
std::string name_of(const scan::SyncJob& job, const PolicyContext& policy);

}  // namespace fragmend::sync
