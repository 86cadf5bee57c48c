// Objects of which nearly nothing is left: asked for everywhere, then quarantined.
#pragma once

#include "host/swift/diskfile.hpp"
#include "host/sync/services.hpp"
#include "host/sync/session_plan.hpp"

namespace fragmend::sync {

/// To be called when the object's fragment for `plan.target` could not be rebuilt for want of
/// survivors. Asks all other primaries and as many handoffs as `request_node_count` allows, anew
/// and all of them, and quarantines the local fragment as `Solitary fragment #<index>` when every
/// answer allows it (`SolitaryDecision`) and the brake does. Does nothing at all unless
/// `quarantine_threshold` is set and the fragment is older than `quarantine_age`. Returns whether
/// it was quarantined. References outlive the call. Runs on the network thread. Source:
/// swift.obj.reconstructor.ObjectReconstructor._make_fragment_requests, reconstruct_fa.
Awaitable<bool> quarantine_if_solitary(Services& services, const PolicyContext& policy,
                                       const SessionPlan& plan, const swift::OpenObject& object);

}  // namespace fragmend::sync
