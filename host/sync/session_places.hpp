// What a session takes beside its target's slot, and what it tells the throttle.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "host/sync/services.hpp"

namespace fragmend::sync {

/// A place towards the peer's node, one from the local disk, and one among all sessions. They go
/// back together, when it is destroyed.
struct SessionPlaces {
    Semaphore::Permit node;
    Semaphore::Permit disk;
    Semaphore::Permit session;
};

/// Waits for all three, in this order and with the target's slot in hand. Everybody takes them in
/// this order, and who has them waits for no further one, so nobody waits in a circle. Errors:
/// cancelled.
Awaitable<Result<SessionPlaces>> take_session_places(Services& services, std::string node_ip,
                                                     std::string local_device,
                                                     Semaphore::Cancel& cancel);

/// For the sender: tells the throttle, if there is one, how long `node` took to begin a session.
/// Kept apart from what its GETs take, which is something else. The throttle outlives it.
std::function<void(std::chrono::nanoseconds)> session_watch(const Services& services,
                                                            const Node& node);

}  // namespace fragmend::sync
