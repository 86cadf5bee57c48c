// Whether more work may begin.
#pragma once

#include "host/base/async.hpp"

namespace fragmend::app {

/// Open or closed; coroutines of one executor wait for it to change. Outlives them.
class Gate {
  public:
    explicit Gate(const asio::any_io_executor& executor) : changed_(executor) {}
    bool is_closed() const { return closed_; }
    void close() { closed_ = true; }
    void open() {
        closed_ = false;
        changed_.notify();
    }
    /// Until it is opened, or somebody else has a reason to wake everybody.
    Awaitable<void> wait() { return changed_.wait(); }
    void wake_all() { changed_.notify(); }

  private:
    bool closed_ = false;
    Signal changed_;
};

}  // namespace fragmend::app
