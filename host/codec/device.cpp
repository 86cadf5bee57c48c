// The life of a device: made, tried, used, left, made again.
#include "host/codec/device.hpp"

#include <algorithm>
#include <system_error>

namespace fragmend::codec {

using kernels::Engine;
using kernels::StatusCode;

namespace {

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

/// Between a device and the thread that asks its driver for an engine.
struct Device::Making {
    std::mutex mutex;
    std::condition_variable answer;
    bool answered = false;   ///< The device is waited for until it is tried.
    bool abandoned = false;  ///< There is no device any more.
};

Device::~Device() {
    if (!maker_.joinable()) return;
    std::unique_lock lock(making_->mutex);
    making_->answer.wait_for(lock, limits_.end_max, [this] { return making_->answered; });
    making_->abandoned = !making_->answered;
    lock.unlock();
    if (making_->answered) {
        maker_.join();
    } else {
        // As an engine that hangs: nobody can end it.
        (void)new std::thread(std::move(maker_));
    }
}

void Device::start() {
    std::unique_lock lock(mutex_);
    begin_to_make();
    if (made_.wait_for(lock, limits_.start_max, [this] { return !status_.trying; })) return;
    status_.state = DeviceState::resting;
    status_.detail = "its driver does not answer";
    log_.warning(status_.name + ": " + status_.detail + "; the CPU decodes until it does");
}

void Device::begin_to_make() {
    if (status_.trying) return;
    if (maker_.joinable()) maker_.join();
    status_.trying = true;
    making_ = std::make_shared<Making>();
    try {
        maker_ = std::thread([this, make = make_, making = making_] {
            std::unique_ptr<Engine> made;
            const kernels::Status outcome = make(made);
            {
                const std::lock_guard lock(making->mutex);
                making->answered = !making->abandoned;
            }
            if (!making->answered) return (void)made.release();
            making->answer.notify_all();
            try_and_judge(outcome, std::move(made));
        });
    } catch (const std::system_error& error) {
        status_.trying = false;
        rest(std::string("no thread to try it on: ") + error.what());
    }
}

std::shared_ptr<Engine> Device::engine() const {
    const std::lock_guard lock(mutex_);
    return engine_;
}

void Device::try_and_judge(const kernels::Status& outcome, std::unique_ptr<Engine> made) {
    Trial trial;
    if (!outcome.ok()) {
        trial.why = words(outcome);
    } else if (trial = trial_(*made); trial.hangs) {
        // What hangs cannot be torn down.
        (void)made.release();
    } else if (!trial.why.empty()) {
        made.reset();
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
    if (trial.hangs) return count_abandoned(std::move(trial.why));
    if (!trial.why.empty()) return rest(std::move(trial.why));
    if (status_.state == DeviceState::resting) {
        ++status_.returns;
        log_.notice(status_.name + " is back");
    }
    status_.name = made->name();
    status_.state = DeviceState::ready;
    status_.detail.clear();
    engine_ = std::move(made);
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

void Device::leave(const std::shared_ptr<Engine>& engine, bool hangs, std::string why) {
    if (engine_ != engine) return;
    engine_.reset();
    if (!hangs) return rest(std::move(why));
    // One reference that nobody gives back: what hangs cannot be torn down.
    (void)new std::shared_ptr<Engine>(engine);
    count_abandoned(std::move(why));
}

void Device::count_abandoned(std::string why) {
    if (++abandoned_ < limits_.engines_abandoned_max) return rest(std::move(why));
    log_.error(status_.name + ": " + why + " again; it is not used any more");
    status_.state = DeviceState::gone;
    status_.detail = std::move(why);
}

void Device::failed(const std::shared_ptr<Engine>& engine, const kernels::Status& status) {
    const std::lock_guard lock(mutex_);
    ++status_.failures;
    status_.detail = words(status);
    switch (status.code) {
        case StatusCode::timed_out:
            return leave(engine, true, "a batch hangs");
        case StatusCode::device_lost:
        case StatusCode::no_device:
            return leave(engine, false, words(status));
        default:
            if (++errors_in_a_row_ >= limits_.errors_in_a_row_max) {
                leave(engine, false, words(status));
            }
    }
}

void Device::was_wrong(const std::shared_ptr<Engine>& engine) {
    const std::lock_guard lock(mutex_);
    ++status_.wrong_items;
    if (++errors_in_a_row_ >= limits_.errors_in_a_row_max) {
        leave(engine, false, "computes wrong bytes");
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
