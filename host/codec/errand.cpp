// Sending somebody, and not waiting for ever.
#include "host/codec/errand.hpp"

#include <system_error>
#include <utility>

namespace fragmend::codec {

Errand::Errand(std::function<void()> what) {
    try {
        thread_ = std::thread([what, state = state_] {
            what();
            const std::lock_guard lock(state->mutex);
            state->ended = true;
            state->end.notify_all();
        });
    } catch (const std::system_error&) {
        what();
        state_->ended = true;
    }
}

Errand::~Errand() {
    if (!thread_.joinable()) return;
    if (wait({})) {
        thread_.join();
    } else {
        // Nobody can end what hangs; if it comes back, it owns all that it still touches.
        thread_.detach();
    }
}

bool Errand::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(state_->mutex);
    return state_->end.wait_for(lock, limit, [this] { return state_->ended; });
}

}  // namespace fragmend::codec
