// The thread that makes one slot's calls of the driver.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "kernels/cuda/slot.hpp"

namespace fragmend::cuda {

/// A call of the driver may hang as a kernel may, and nothing ends it. So nobody who has something
/// else to do makes one: this thread queues a batch and watches it, and others wait for it only as
/// long as they like.
/// Owned by the engine, beside its slot; one batch at a time, handed over by one caller at a time.
class SlotDriver {
  public:
    SlotDriver(int device, unsigned blocks_max, Slot& slot);
    /// Waits for the batch that is under way, and for ever when that hangs.
    ~SlotDriver();

    /// Starts the batch that the slot has gathered. The slot is this thread's until `landed` says
    /// how it ended.
    void fly();
    /// Nothing when the batch is under way for longer than `limit` from now.
    std::optional<kernels::Status> landed(std::chrono::milliseconds limit);

  private:
    enum class State : std::uint8_t { idle, under_way, landed };

    void serve();
    kernels::Status run_batch();

    const int device_;
    const unsigned blocks_max_;
    Slot& slot_;
    std::mutex mutex_;
    std::condition_variable changed_;
    State state_ = State::idle;
    bool ending_ = false;
    kernels::Status outcome_;
    std::thread thread_;
};

}  // namespace fragmend::cuda
