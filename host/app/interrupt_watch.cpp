// Waiting for signals on a thread of its own.
#include "host/app/interrupt_watch.hpp"

#include <pthread.h>
#include <unistd.h>

#include <ctime>

#include "host/app/command_line.hpp"

namespace fragmend::app {

InterruptWatch::InterruptWatch() {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
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
        if (stop_.exchange(true)) ::_exit(static_cast<int>(ExitCode::work_remains));
    }
}

}  // namespace fragmend::app
