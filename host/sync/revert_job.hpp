// One REVERT job: deliver what belongs elsewhere, then remove what was acknowledged.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/scan/jobs.hpp"
#include "host/swift/locks.hpp"
#include "host/sync/revert_objects.hpp"
#include "host/sync/services.hpp"
#include "transport/ssync/sender.hpp"

namespace fragmend::sync {

using Delivered = std::map<std::string, swift::LocalOffer>;

/// Keeps in `all` what `one` holds, too, at the same times and as durable. Pure.
void keep_common(Delivered& all, const Delivered& one);

/// Runs `job` under the partition's replication lock, a slice of suffixes after the other, so that
/// what is remembered of offers has a bound: a session with each target, and when all of them took
/// everything, the purge of what every one of them acknowledged. A session that found its target
/// locked is tried again, without our lock held meanwhile. Errors are counted, logged and
/// never returned. Runs on the network thread; `services` and `policy` outlive it.
/// Source: swift.obj.reconstructor.ObjectReconstructor._revert, delete_reverted_objs.
class RevertJobRun {
  public:
    RevertJobRun(Services& services, const PolicyContext& policy, const scan::RevertJob& job);
    Awaitable<void> run();
    /// No further session of this job begins; what was delivered may still be removed.
    void cancel(Ending ending);

  private:
    enum class Ended { done, remains, try_again, paused };

    Awaitable<Ended> run_once();
    Awaitable<Ended> run_locked(Semaphore::Permit slot);
    /// Suffixes that all targets are offered before what they took is removed.
    struct Slice {
        std::vector<swift::SuffixName> suffixes;
        std::size_t offers_max = 0;      ///< For the first who takes it: there the slice ends.
        std::size_t offered = 0;         ///< To one target.
        std::size_t offered_before = 0;  ///< In earlier slices.
        Semaphore::Permit slot;          ///< Towards the target.
    };
    /// Delivers, and removes what is delivered while no target of the job has failed.
    Awaitable<void> run_slice(Slice& slice);
    Awaitable<Result<void>> take_slot(Slice& slice, const scan::Partner& target);
    /// What the target acknowledged; nothing when the session failed.
    Awaitable<std::optional<Delivered>> deliver(const scan::Partner& target, Slice& slice);
    Awaitable<void> purge(const Delivered& delivered);
    Awaitable<Result<swift::PathLock>> lock();
    Awaitable<void> pause(int tries);
    void account(const Node& target, const transport::ssync::SessionResult& result,
                 const RevertObjects& objects);
    /// Of the last try: what failed is counted once, whatever the tries.
    void account_failures();

    Services& services_;
    const PolicyContext& policy_;
    const scan::RevertJob& job_;
    bool cancelled_ = false;
    bool is_last_ = false;   ///< No further session begins.
    bool remains_ = false;   ///< Not everything was offered, or not everything sent.
    bool paused_ = false;    ///< A session would have begun while the gate was closed.
    bool limited_ = false;   ///< The job may not offer more.
    std::size_t taken_ = 0;  ///< Offers of slices that all targets took, in all tries.
    /// Targets that have not failed; the others get nothing more in this try.
    std::vector<const scan::Partner*> takers_;
    bool target_busy_ = false;  ///< A session ended at somebody else's lock.
    bool broke_off_ = false;    ///< One ended because somebody gave up what it was sending.
    std::set<std::string> touched_suffixes_;
    std::vector<errc> failed_sessions_;
    std::map<errc, std::uint64_t> failed_objects_;
    transport::ssync::Sender* sender_ = nullptr;  ///< The session that runs.
    asio::steady_timer pause_;
    Semaphore::Cancel line_;  ///< Ends its waits for slots and places.
    Activity activity_;
};

}  // namespace fragmend::sync
