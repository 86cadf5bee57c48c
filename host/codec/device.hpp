// One device that may fail, rest and come back.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "kernels/api/engine.hpp"

namespace fragmend::codec {

/// Makes a device's engine; asked at start and after each rest, as an `Errand`.
using MakeEngine = std::function<kernels::Status(std::unique_ptr<kernels::Engine>&)>;
/// What trying an engine came to.
struct Trial {
    std::string why;     ///< It cannot be used; empty when it gives right bytes.
    bool hangs = false;  ///< One of its batches has not ended.
};
using TryEngine = std::function<Trial(kernels::Engine&)>;

struct DeviceLimits {
    std::chrono::milliseconds rest_first{1000};  ///< After a failure; each one in a row doubles it.
    std::chrono::milliseconds rest_max{300'000};
    int errors_in_a_row_max = 3;    ///< Of calls that leave the device alive; then it rests.
    int engines_abandoned_max = 2;  ///< Engines with a batch that hangs; then no new one is made.
    /// That somebody waits for a driver that is to give up an engine, or to answer at the end.
    std::chrono::milliseconds end_max{5000};
};

enum class DeviceState : std::uint8_t {
    ready,
    resting,  ///< Failed; made anew when the rest is over.
    gone,     ///< Never there, or hung too often: not asked again.
};

/// What `status` says of a device, for a person and for metrics.
struct DeviceStatus {
    std::string name;
    DeviceState state = DeviceState::gone;
    std::string detail;  ///< Why it is not ready, or what failed last.
    std::uint64_t batches = 0;
    std::uint64_t items = 0;
    std::uint64_t failures = 0;        ///< Batches that came to nothing.
    std::uint64_t wrong_items = 0;     ///< Whose check failed here and not on the CPU.
    std::uint64_t returns = 0;         ///< Times it came back from a rest.
    std::chrono::milliseconds rest{};  ///< Until the next try.
    bool trying = false;               ///< An engine is being made and tried.
};

/// Holds a device's engine while it works. Thread-safe: batches take `engine()` for as long as they
/// run, so an engine that failed goes when the last of them let go. An engine with a batch that
/// hangs is never destroyed, for its destructor would hang, too. Others are made and destroyed as
/// errands, which are left to themselves when their driver does not answer.
class Device {
  public:
    Device(std::string name, MakeEngine make, TryEngine trial, DeviceLimits limits,
           const Clock& clock, Logger log);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    /// Begins to make the engine and to try it. Call once, before anything else.
    void start();
    /// Waits for that; a device that is not tried by then is gone on without until it is.
    void wait_for_start(std::chrono::steady_clock::time_point until);
    /// Shared by this and the batches in flight; null while it is not ready.
    std::shared_ptr<kernels::Engine> engine() const;

    void succeeded(std::size_t items);
    /// A batch on `engine` came to nothing; an engine that was left already is not left again.
    void failed(const std::shared_ptr<kernels::Engine>& engine, const kernels::Status& status);
    /// An item failed its check on the device and passed it on the CPU.
    void was_wrong(const std::shared_ptr<kernels::Engine>& engine);

    /// Begins to make a new engine when a rest is over.
    void come_back_when_rested();
    DeviceStatus status() const;

  private:
    /// Of `engine_`; nothing when it is another one. It ends with whoever holds it last.
    std::shared_ptr<kernels::Engine> leave(const std::shared_ptr<kernels::Engine>& engine,
                                           std::string why);
    std::shared_ptr<kernels::Engine> leave_hanging(const std::shared_ptr<kernels::Engine>& engine);
    /// After an engine that hangs was left to itself: whether it was the last one.
    bool count_abandoned(const std::string& why);
    /// Unless one is being made.
    void begin_to_make();
    void make_engine();
    void judge(const kernels::Status& outcome, Trial trial, std::unique_ptr<kernels::Engine> made);
    void rest(std::string why);

    const MakeEngine make_;
    const TryEngine trial_;
    const DeviceLimits limits_;
    const Clock& clock_;
    const Logger log_;

    mutable std::mutex mutex_;
    std::condition_variable made_;
    std::shared_ptr<kernels::Engine> engine_;
    DeviceStatus status_;
    std::chrono::steady_clock::time_point rest_ends_;
    std::chrono::milliseconds next_rest_;
    int errors_in_a_row_ = 0;
    std::set<const kernels::Engine*> hanging_;  ///< Never destroyed, so never another's address.
    int abandoned_ = 0;
    std::atomic<bool> is_ending_ = false;
    std::thread maker_;
};

}  // namespace fragmend::codec
