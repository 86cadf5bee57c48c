// Taking places one after the other.
#include "host/sync/session_places.hpp"

namespace fragmend::sync {

Awaitable<Result<SessionPlaces>> take_session_places(Services& services, std::string node_ip,
                                                     std::string local_device,
                                                     Semaphore::Cancel& cancel) {
    SessionPlaces places;
    auto node = co_await services.targets.of_node(node_ip).acquire(1, cancel);
    if (node.has_error()) co_return node.error();
    places.node = std::move(node.value());
    auto disk = co_await services.targets.of_disk(local_device).acquire(1, cancel);
    if (disk.has_error()) co_return disk.error();
    places.disk = std::move(disk.value());
    auto session = co_await services.sessions.acquire(1, cancel);
    if (session.has_error()) co_return session.error();
    places.session = std::move(session.value());
    co_return places;
}

}  // namespace fragmend::sync
