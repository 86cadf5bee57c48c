// A call that may never come back, made by somebody else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace fragmend::codec {

/// Runs `what` on a thread of its own, which is joined if it has ended by the time the errand goes
/// and is left to itself if not: a driver that hangs in a call is ended by nobody. So `what` may
/// refer only to what it owns, or what lives for ever.
class Errand {
  public:
    /// Runs `what` at once, on the calling thread, when the system gives no other.
    explicit Errand(std::function<void()> what);
    ~Errand();
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;

    /// Whether it has ended, at the latest after `limit`.
    bool wait(std::chrono::milliseconds limit);

  private:
    struct State {
        std::mutex mutex;
        std::condition_variable end;
        bool ended = false;
    };
    const std::shared_ptr<State> state_ = std::make_shared<State>();
    std::thread thread_;
};

}  // namespace fragmend::codec
