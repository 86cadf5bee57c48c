// Virtual time for a whole program: the monotonic clock and Asio's timers follow one number.
#pragma once

#include <chrono>

namespace fragmend::sim {

using Moment = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// While one lives, `steady_clock::now()` of the whole program says what `set` said last, and every
/// timer of the one io_context that was made after it expires by that clock. The code under test
/// needs no seam for it: the linker takes `steady_clock::now` and `timerfd_settime` from here.
/// One at a time, on one thread.
class VirtualTime {
  public:
    VirtualTime();
    ~VirtualTime();
    VirtualTime(const VirtualTime&) = delete;
    VirtualTime& operator=(const VirtualTime&) = delete;

    static Moment now();
    /// Never backwards. The next poll of the io_context runs what has become due.
    void set(Moment now);
    /// When Asio asked to be woken, at the earliest; `Moment::max()` for never. May be earlier than
    /// any timer that is still set, then the poll finds nothing.
    Moment timer_due() const;
};

}  // namespace fragmend::sim
