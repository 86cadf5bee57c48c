// Somebody's wish to end what runs, for commands that have something to clean up.
#pragma once

#include <atomic>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>

namespace fragmend::app {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) set a flag; a
/// second one ends the process at once. Make it before other threads: they inherit that these
/// signals are not theirs. SIGPIPE is ignored.
class InterruptWatch {
  public:
    InterruptWatch();
    ~InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;

    const std::atomic<bool>& stop() const { return stop_; }
    /// What nobody removes if a second signal comes; it is named on standard error then.
    void leaves_behind(std::string folder);

  private:
    void wait(const std::stop_token& end);
    void end_at_once();

    sigset_t signals_;
    sigset_t mask_before_;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::string folder_;
    std::jthread thread_;
};

}  // namespace fragmend::app
