// Waiting for signals on a thread of its own.
#include "host/app/interrupt_watch.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "host/app/command_line.hpp"

namespace fragmend::app {

InterruptWatch::InterruptWatch() {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    struct sigaction hangup {};
    ::sigaction(SIGHUP, nullptr, &hangup);
    // A blocked signal comes even where it is ignored.
    if (hangup.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);
    thread_ = std::jthread([this](const std::stop_token& end) { wait(end); });
}

InterruptWatch::~InterruptWatch() {
    thread_.request_stop();
    thread_.join();
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void InterruptWatch::wait(const std::stop_token& end) {
    constexpr timespec look{0, 100'000'000};
    while (!end.stop_requested()) {
        if (::sigtimedwait(&signals_, nullptr, &look) < 0) continue;
        if (stop_.exchange(true)) end_at_once();
    }
}

void InterruptWatch::leaves_behind(std::string folder) {
    const std::lock_guard lock(mutex_);
    folder_ = std::move(folder);
}

void InterruptWatch::end_at_once() {
    const std::lock_guard lock(mutex_);
    if (!folder_.empty() && ::access(folder_.c_str(), F_OK) == 0)
        std::fprintf(stderr, "fragmend: %s stays behind\n", folder_.c_str());
    ::_exit(static_cast<int>(ExitCode::work_remains));
}

}  // namespace fragmend::app
