// Queueing, watching, and saying so.
#include "kernels/cuda/slot_driver.hpp"

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/tuning.hpp"

namespace fragmend::cuda {

using kernels::Status;
using Clock = std::chrono::steady_clock;

SlotDriver::SlotDriver(int device, unsigned blocks_max, Slot& slot)
    : device_(device), blocks_max_(blocks_max), slot_(slot), thread_([this] { serve(); }) {}

SlotDriver::~SlotDriver() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void SlotDriver::fly() {
    {
        const std::lock_guard lock(mutex_);
        state_ = State::under_way;
    }
    changed_.notify_all();
}

std::optional<Status> SlotDriver::landed(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [this] { return state_ == State::landed; }))
        return std::nullopt;
    state_ = State::idle;
    return outcome_;
}

void SlotDriver::serve() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return ending_ || state_ == State::under_way; });
        if (state_ != State::under_way) return;
        lock.unlock();
        const Status outcome = run_batch();
        lock.lock();
        outcome_ = outcome;
        state_ = State::landed;
        changed_.notify_all();
    }
}

Status SlotDriver::run_batch() {
    FRAGMEND_CUDA_TRY(cudaSetDevice(device_));
    if (Status status = slot_.queue(blocks_max_); !status.ok()) return status;
    const Clock::time_point start = Clock::now();
    for (bool done = false;;) {
        if (Status status = slot_.finished(done); !status.ok() || done) return status;
        const Clock::duration elapsed = Clock::now() - start;
        if (elapsed < std::chrono::microseconds(tuning::spin_us)) continue;
        // One that hangs may do so until the program ends.
        const bool hangs = elapsed > std::chrono::milliseconds(tuning::prompt_ms);
        std::this_thread::sleep_for(
            std::chrono::microseconds(hangs ? tuning::late_poll_us : tuning::poll_us));
    }
}

}  // namespace fragmend::cuda
