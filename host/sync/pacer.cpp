// Rests after work.
#include "host/sync/pacer.hpp"

#include <utility>

namespace fragmend::sync {

Awaitable<Result<void>> Pacer::rest(const bool& stop) {
    scheduler::Throttle* throttle = services_.throttle;
    const auto now = services_.clock.steady();
    const auto worked = now - std::exchange(working_since_, now);
    if (throttle == nullptr || throttle->pace() >= 1) co_return Result<void>();
    auto rested = co_await throttle->rest(worked, stop);
    working_since_ = services_.clock.steady();
    activity_.moved();
    co_return rested;
}

}  // namespace fragmend::sync
