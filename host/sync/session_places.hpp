// What a session takes beside its target's slot.
#pragma once

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

}  // namespace fragmend::sync
