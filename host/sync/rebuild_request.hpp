// What has to be rebuilt of an object that lies on this disk.
#pragma once

#include "host/swift/diskfile.hpp"
#include "host/swift/policy.hpp"
#include "host/sync/session_plan.hpp"
#include "scheduler/codec.hpp"
#include "scheduler/fragment_source.hpp"

namespace fragmend::sync {

/// The fragment that the plan's target wants of the object. Its pieces are as long as the object's
/// own metadata says; without that as long as the policy makes them today, which is a guess.
/// Errors: bad_metadata. Source: swift.obj.reconstructor.ObjectReconstructor.reconstruct_fa.
Result<scheduler::RebuildRequest> rebuild_request_of(const swift::OpenObject& object,
                                                     const SessionPlan& plan,
                                                     const swift::Policy& policy,
                                                     scheduler::Codec& codec);

/// Gives back all metadata that nobody asks for once the sub-requests of `object` are made.
void keep_what_is_looked_up(swift::OpenObject& object);

}  // namespace fragmend::sync
