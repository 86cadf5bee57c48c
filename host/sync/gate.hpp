// Whether more work may begin.
#pragma once

#include "host/base/async.hpp"
#include "host/sync/activity.hpp"

namespace fragmend::sync {

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
    /// Until it is open, or `cancelled`, whose owner then calls `wake_all`.
    Awaitable<void> pass(const bool& cancelled) {
        while (closed_ && !cancelled)
            co_await changed_.wait();
    }
    /// The same for a job.
    Awaitable<void> pass(const bool& cancelled, Activity& activity) {
        if (!closed_) co_return;
        activity.queued("is paused");
        co_await pass(cancelled);
    }
    void wake_all() { changed_.notify(); }

  private:
    bool closed_ = false;
    Signal changed_;
};

}  // namespace fragmend::sync
