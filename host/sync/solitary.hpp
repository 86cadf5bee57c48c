// Objects of which nearly nothing is left: asked for everywhere, then rebuilt or quarantined.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "host/swift/diskfile.hpp"
#include "host/sync/services.hpp"
#include "host/sync/session_plan.hpp"
#include "transport/fragments/gather_request.hpp"
#include "transport/http/client.hpp"

namespace fragmend::sync {

/// A local fragment beside which too few others were found, and what it was needed for.
struct LonelyFragment {
    std::string partition;  ///< Decimal.
    std::string object_path;
    std::string object_hash;
    Timestamp data_timestamp;
    int fragment_index = 0;
    Node local_device;
    Node target;
    int wanted_index = 0;  ///< The target's.
};

/// Ends the inquiries of one session from outside of them. Outlives them; network thread.
class InquiryStop {
  public:
    void now() {
        called_ = true;
        for (const auto& [question, hash] : open_)
            question->abort();
    }
    /// Those about one object.
    void now(const std::string& object_hash) {
        objects_.insert(object_hash);
        for (const auto& [question, hash] : open_) {
            if (hash == object_hash) question->abort();
        }
    }
    bool was_called(const std::string& object_hash) const {
        return called_ || objects_.contains(object_hash);
    }

  private:
    friend class Question;
    bool called_ = false;
    std::set<std::string> objects_;
    std::map<transport::http::Abort*, std::string> open_;
};

/// Who has other fragments of the same version, once the primaries have too few of them: asks all
/// primaries anew and as many handoffs as `request_node_count` allows. Does nothing at all unless
/// `quarantine_threshold` is set, the fragment is older than `quarantine_age` and the primaries'
/// answers make it a candidate for quarantine, for these are Swift's conditions for looking at
/// handoffs. Nothing when what was found is not enough, or when it was stopped. References outlive
/// the call. Runs on the network thread. Source:
/// swift.obj.reconstructor.ObjectReconstructor._make_fragment_requests.
Awaitable<std::vector<transport::fragments::Candidate>> find_on_handoffs(
    Services& services, const PolicyContext& policy, LonelyFragment fragment, InquiryStop& stop);

/// To be called when the object's fragment for `plan.target` could not be rebuilt for want of
/// survivors. Asks all other primaries and handoffs as `find_on_handoffs` does, anew and all of
/// them, and quarantines the local fragment as `Solitary fragment #<index>` when every answer
/// allows it (`SolitaryDecision`), the brake does, and the fragment is still what the disk has of
/// the object. Returns whether it was quarantined; it is not once the inquiry was stopped.
/// References outlive the call. Runs on the network thread. Source:
/// swift.obj.reconstructor.ObjectReconstructor._make_fragment_requests, reconstruct_fa.
Awaitable<bool> quarantine_if_solitary(Services& services, const PolicyContext& policy,
                                       const SessionPlan& plan, const swift::OpenObject& object,
                                       InquiryStop& stop);

}  // namespace fragmend::sync
