// The REPLICATE requests of one job.
#pragma once

#include <string>

#include "host/sync/services.hpp"
#include "transport/replicate/replicate.hpp"

namespace fragmend::sync {

/// One at a time for the job, and among those that may be under way for all; after each it rests as
/// the profile wants it. How long they take tells the profile nothing: a peer that has to hash
/// first takes its time even where nobody else wants anything of it. Runs on the network thread;
/// everything that the constructor takes outlives it.
class ReplicateCalls {
  public:
    ReplicateCalls(Services& services, const PolicyContext& policy, const std::string& partition,
                   Activity& activity)
        : services_(services), policy_(policy), partition_(partition), activity_(activity) {}

    /// `suffixes` as ReplicateRequest has them. Errors: cancelled, and those of the call.
    Awaitable<Result<transport::replicate::ReplicateAnswer>> ask(Node node, std::string suffixes);
    /// While it lives, the job keeps its place among those that may ask from one call to the next:
    /// partners that are asked one after the other wait for their turn once.
    class Stay {
      public:
        explicit Stay(ReplicateCalls& calls) : calls_(calls) { calls_.stays_ = true; }
        ~Stay() {
            calls_.stays_ = false;
            calls_.leave();
        }
        Stay(const Stay&) = delete;
        Stay& operator=(const Stay&) = delete;

      private:
        ReplicateCalls& calls_;
    };
    /// Lets others ask while the job does something else. The next call waits for a place again.
    void leave() { place_.release(); }
    /// Ends the call that runs; later ones are not made.
    void cancel();

  private:
    Services& services_;
    const PolicyContext& policy_;
    const std::string& partition_;
    Activity& activity_;
    Semaphore::Permit place_;
    bool stays_ = false;
    bool cancelled_ = false;
    Semaphore::Cancel line_;
    transport::http::Abort* call_ = nullptr;  ///< Of the call that runs.
};

}  // namespace fragmend::sync
