// The clock and the timer descriptor that the linker finds before those of the system.
#include "tests/sim/virtual_time.hpp"

#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "host/base/error.hpp"

namespace fragmend::sim {
namespace {

/// Replaced functions have no other place to look: this is the one global of the simulation.
struct State {
    bool active = false;
    Moment now{};
    Moment due = Moment::max();
    int timer = -1;
};
State state;

/// Really sets the descriptor: due at once, or never.
int set_timer(int timer, bool due) {
    const itimerspec value{{0, 0}, {0, due ? 1 : 0}};
    return static_cast<int>(
        ::syscall(SYS_timerfd_settime, timer, TFD_TIMER_ABSTIME, &value, nullptr));
}

int settime(int timer, int flags, const itimerspec& value) {
    const auto length = std::chrono::seconds(value.it_value.tv_sec) +
                        std::chrono::nanoseconds(value.it_value.tv_nsec);
    state.timer = timer;
    // Asio writes "now" as an absolute time long ago.
    const bool at_once = (flags & TFD_TIMER_ABSTIME) != 0;
    state.due = at_once ? state.now : length.count() == 0 ? Moment::max() : state.now + length;
    return set_timer(timer, at_once);
}

}  // namespace

VirtualTime::VirtualTime() {
    FRAGMEND_ASSERT(!state.active);
    state = State{true, Moment(std::chrono::hours(1)), Moment::max(), -1};
}

VirtualTime::~VirtualTime() {
    state.active = false;
}

Moment VirtualTime::now() {
    return state.now;
}

void VirtualTime::set(Moment now) {
    FRAGMEND_ASSERT(now >= state.now);
    state.now = now;
    if (state.due > now) return;
    state.due = Moment::max();
    set_timer(state.timer, true);
}

Moment VirtualTime::timer_due() const {
    return state.due;
}

}  // namespace fragmend::sim

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
    if (fragmend::sim::state.active) return fragmend::sim::state.now;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return time_point(seconds(now.tv_sec) + nanoseconds(now.tv_nsec));
}

extern "C" int timerfd_settime(int timer, int flags, const itimerspec* value,
                               itimerspec* old) noexcept {
    if (fragmend::sim::state.active) return fragmend::sim::settime(timer, flags, *value);
    return static_cast<int>(::syscall(SYS_timerfd_settime, timer, flags, value, old));
}
