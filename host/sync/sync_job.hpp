// One SYNC job: compare suffixes with each partner, and send what it lacks.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "host/scan/agreement.hpp"
#include "host/scan/jobs.hpp"
#include "host/scan/turns.hpp"
#include "host/sync/partner_sync.hpp"
#include "host/sync/services.hpp"

namespace fragmend::sync {

/// Whom a job turns to this time. By default it is everybody, and nothing is put off.
struct Visits {
    std::size_t round = scan::rounds_max - 1;
    std::vector<std::uint32_t> devices;     ///< Ids; empty: all partners.
    std::chrono::duration<double> spent{};  ///< By this job, in earlier rounds.
};

/// Runs `job` from its partners to the statistics. A partner of a later round than that of `visits`
/// is only looked at: if it lacks something, it is put off. The others
/// get what they lack one after the other; objects that several of them lack are rebuilt for all of
/// them with the first one, see Stash. One partner's failure never stops the next. Errors are
/// counted, logged and never returned. Runs on the network thread; `services` and `policy` outlive
/// it. Source: swift.obj.reconstructor.ObjectReconstructor._sync.
class SyncJobRun {
  public:
    SyncJobRun(Services& services, const PolicyContext& policy, const scan::SyncJob& job,
               Visits visits = {});
    Awaitable<void> run();
    /// The next round, for partners that lack something and were put off; nobody if all is done.
    Visits take_rest() { return {visits_.round + 1, std::move(put_off_), visits_.spent}; }
    /// No further session of this job begins.
    void cancel(Ending ending);

  private:
    /// Looks at all partners; those that lack something now stay in `partners_`.
    Awaitable<void> look_around();
    /// What the partners behind `first` lack that can be rebuilt for them, too.
    std::vector<LaterTarget> later_than(std::size_t first) const;
    /// Tells primaries to distrust what they keep of suffixes where a fragment was missing.
    Awaitable<void> report_holes();

    Services& services_;
    const PolicyContext& policy_;
    const scan::SyncJob& job_;
    Visits visits_;
    const scan::Agreement agreement_;
    std::vector<std::uint32_t> put_off_;
    bool cancelled_ = false;
    Activity activity_;
    ReplicateCalls calls_;
    Holes holes_;
    std::deque<PartnerSync> partners_;  ///< A deque: they stay in place.
};

}  // namespace fragmend::sync
