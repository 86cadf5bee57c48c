// The life of a device: made, tried, used, left, made again.
#include "host/codec/device.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "host/codec/errand.hpp"

namespace fragmend::codec {

using kernels::Engine;
using kernels::StatusCode;

namespace {

/// How soon the end of a device is noticed while its driver is asked.
constexpr std::chrono::milliseconds ending_poll{20};

void end_engine(std::unique_ptr<Engine> engine, std::chrono::milliseconds limit) {
    if (engine == nullptr) return;
    Errand end([engine = engine.release()] { delete engine; });
    (void)end.wait(limit);
}

std::string words(const kernels::Status& status) {
    return std::string(kernels::name(status.code)) + " (" + status.detail + ")";
}

}  // namespace

Device::Device(std::string name, MakeEngine make, TryEngine trial, DeviceLimits limits,
               const Clock& clock, Logger log)
    : make_(std::move(make)),
      trial_(std::move(trial)),
      limits_(limits),
      clock_(clock),
      log_(std::move(log)),
      next_rest_(limits.rest_first) {
    status_.name = std::move(name);
    status_.detail = "not started";
}

Device::~Device() {
    is_ending_ = true;
    if (maker_.joinable()) maker_.join();
}

void Device::start() {
    const std::lock_guard lock(mutex_);
    begin_to_make();
}

void Device::wait_for_start(std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    if (made_.wait_until(lock, until, [this] { return !status_.trying; })) return;
    status_.state = DeviceState::resting;
    status_.detail = "it is not ready yet";
    log_.warning(status_.name + ": " + status_.detail + "; the CPU decodes until it is");
}

void Device::begin_to_make() {
    if (status_.trying) return;
    if (maker_.joinable()) maker_.join();
    status_.trying = true;
    try {
        maker_ = std::thread([this] { make_engine(); });
    } catch (const std::system_error& error) {
        status_.trying = false;
        rest(std::string("no thread to try it on: ") + error.what());
    }
}

std::shared_ptr<Engine> Device::engine() const {
    const std::lock_guard lock(mutex_);
    return engine_;
}

void Device::make_engine() {
    struct Answer {
        kernels::Status outcome;
        std::unique_ptr<Engine> engine;
    };
    const auto answer = std::make_shared<Answer>();
    Errand question([make = make_, answer] { answer->outcome = make(answer->engine); });
    while (!question.wait(ending_poll)) {
        if (is_ending_ && !question.wait(limits_.end_max)) return;
    }
    const kernels::Status outcome = answer->outcome;
    std::unique_ptr<Engine> made = std::move(answer->engine);
    Trial trial;
    if (!outcome.ok()) {
        trial.why = words(outcome);
    } else if (is_ending_) {
        return end_engine(std::move(made), limits_.end_max);
    } else if (trial = trial_(*made); trial.hangs) {
        // What hangs cannot be torn down.
        (void)made.release();
    } else if (!trial.why.empty()) {
        end_engine(std::move(made), limits_.end_max);
    }
    {
        const std::lock_guard lock(mutex_);
        judge(outcome, std::move(trial), std::move(made));
        status_.trying = false;
    }
    made_.notify_all();
}

void Device::judge(const kernels::Status& outcome, Trial trial, std::unique_ptr<Engine> made) {
    if (outcome.code == StatusCode::no_device) {
        if (status_.state == DeviceState::resting)
            log_.error(status_.name + ": " + outcome.detail + "; it is not used any more");
        status_.state = DeviceState::gone;
        status_.detail = outcome.detail;
        return;
    }
    if (trial.hangs && count_abandoned(trial.why)) return;
    if (!trial.why.empty()) return rest(std::move(trial.why));
    if (status_.state == DeviceState::resting) {
        ++status_.returns;
        log_.notice(status_.name + " is back");
    }
    status_.name = made->name();
    status_.state = DeviceState::ready;
    status_.detail.clear();
    engine_ = std::shared_ptr<Engine>(made.release(), [limit = limits_.end_max](Engine* engine) {
        end_engine(std::unique_ptr<Engine>(engine), limit);
    });
    errors_in_a_row_ = 0;
}

void Device::rest(std::string why) {
    log_.warning(status_.name + ": " + why + "; the CPU decodes, next try in " +
                 std::to_string(next_rest_.count()) + " ms");
    status_.state = DeviceState::resting;
    status_.detail = std::move(why);
    rest_ends_ = clock_.steady() + next_rest_;
    next_rest_ = std::min(2 * next_rest_, limits_.rest_max);
}

void Device::succeeded(std::size_t items) {
    const std::lock_guard lock(mutex_);
    ++status_.batches;
    status_.items += items;
    errors_in_a_row_ = 0;
    next_rest_ = limits_.rest_first;
}

std::shared_ptr<Engine> Device::leave(const std::shared_ptr<Engine>& engine, std::string why) {
    if (engine_ != engine) return nullptr;
    rest(std::move(why));
    return std::exchange(engine_, nullptr);
}

std::shared_ptr<Engine> Device::leave_hanging(const std::shared_ptr<Engine>& engine) {
    if (!hanging_.insert(engine.get()).second) return nullptr;
    // One reference that nobody gives back, whether the engine is in use or was left before: what
    // hangs cannot be torn down.
    (void)new std::shared_ptr<Engine>(engine);
    if (count_abandoned("a batch hangs")) return std::exchange(engine_, nullptr);
    return leave(engine, "a batch hangs");
}

bool Device::count_abandoned(const std::string& why) {
    if (++abandoned_ < limits_.engines_abandoned_max) return false;
    log_.error(status_.name + ": " + why + " again; it is not used any more");
    status_.state = DeviceState::gone;
    status_.detail = why;
    return true;
}

void Device::failed(const std::shared_ptr<Engine>& engine, const kernels::Status& status) {
    std::shared_ptr<Engine> left;  // It may end here, beyond the lock.
    const std::lock_guard lock(mutex_);
    ++status_.failures;
    if (engine_ == engine) status_.detail = words(status);
    switch (status.code) {
        case StatusCode::timed_out:
            left = leave_hanging(engine);
            return;
        case StatusCode::device_lost:
        case StatusCode::no_device:
            left = leave(engine, words(status));
            return;
        default:
            if (engine_ == engine && ++errors_in_a_row_ >= limits_.errors_in_a_row_max) {
                left = leave(engine, words(status));
            }
    }
}

void Device::was_wrong(const std::shared_ptr<Engine>& engine) {
    std::shared_ptr<Engine> left;
    const std::lock_guard lock(mutex_);
    ++status_.wrong_items;
    if (engine_ == engine && ++errors_in_a_row_ >= limits_.errors_in_a_row_max) {
        left = leave(engine, "computes wrong bytes");
    }
}

void Device::come_back_when_rested() {
    const std::lock_guard lock(mutex_);
    if (status_.state == DeviceState::resting && clock_.steady() >= rest_ends_) begin_to_make();
}

DeviceStatus Device::status() const {
    const std::lock_guard lock(mutex_);
    DeviceStatus status = status_;
    if (status.state == DeviceState::resting) {
        status.rest = std::max(
            std::chrono::milliseconds(0),
            std::chrono::duration_cast<std::chrono::milliseconds>(rest_ends_ - clock_.steady()));
    }
    return status;
}

}  // namespace fragmend::codec
