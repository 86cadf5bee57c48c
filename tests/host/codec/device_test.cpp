// The life of a device, with time in the test's hand.
#include "host/codec/device.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "tests/host/codec/faulty_engine.hpp"

namespace fragmend::codec {
namespace {

using kernels::Status;
using kernels::StatusCode;
using std::chrono::milliseconds;

class DeviceLife : public testing::Test {
  protected:
    Device make(DeviceLimits limits = {}) {
        return Device(
            "GPU 0",
            [this](std::unique_ptr<kernels::Engine>& engine) -> Status {
                ++made;
                if (!refusals.empty()) {
                    const StatusCode code = refusals.front();
                    refusals.pop_front();
                    return {code, 0, "as told"};
                }
                kernels::Limits small;
                small.batch_items_max = small.batch_sources_max = small.batch_outputs_max = 4;
                engine = std::make_unique<WatchedEngine>(small, destroyed);
                return {};
            },
            [this](kernels::Engine&) {
                return Trial{trial, trial_hangs};
            },
            limits, clock, Logger(nullptr, LogLevel::notice));
    }

    static void wait_until_tried(const Device& device) {
        while (device.status().trying)
            std::this_thread::yield();
    }
    static void start(Device& device) {
        device.start();
        wait_until_tried(device);
    }
    static void come_back(Device& device) {
        device.come_back_when_rested();
        wait_until_tried(device);
    }

    HandClock clock;
    int made = 0;
    std::deque<StatusCode> refusals;
    std::string trial;
    bool trial_hangs = false;
    int destroyed = 0;

  private:
    struct WatchedEngine final : FaultyEngine {
        WatchedEngine(const kernels::Limits& small, int& count)
            : FaultyEngine(small, [] { return Fault::none; }), destroyed_engines(count) {}
        ~WatchedEngine() override { ++destroyed_engines; }
        int& destroyed_engines;
    };
};

TEST_F(DeviceLife, StartsReady) {
    Device device = make();
    EXPECT_EQ(device.engine(), nullptr);
    start(device);
    EXPECT_NE(device.engine(), nullptr);
    EXPECT_EQ(device.status().state, DeviceState::ready);
    EXPECT_EQ(device.status().name, "an engine that fails");
}

TEST_F(DeviceLife, NoDeviceIsNotAskedAgain) {
    refusals = {StatusCode::no_device};
    Device device = make();
    start(device);
    EXPECT_EQ(device.status().state, DeviceState::gone);
    clock.advance(milliseconds(1'000'000));
    come_back(device);
    EXPECT_EQ(made, 1);
}

TEST_F(DeviceLife, OneThatGivesWrongBytesIsNotUsed) {
    trial = "gives other bytes";
    Device device = make();
    start(device);
    EXPECT_EQ(device.engine(), nullptr);
    EXPECT_EQ(device.status().state, DeviceState::resting);
    EXPECT_EQ(device.status().detail, "gives other bytes");
    trial.clear();
    clock.advance(milliseconds(1000));
    come_back(device);
    EXPECT_NE(device.engine(), nullptr);
}

TEST_F(DeviceLife, RestsTwiceAsLongEachTimeAndComesBack) {
    refusals = {StatusCode::out_of_memory, StatusCode::device_lost, StatusCode::device_error};
    Device device = make();
    start(device);
    for (const int rest : {1000, 2000, 4000}) {
        EXPECT_EQ(device.status().state, DeviceState::resting);
        EXPECT_EQ(device.status().rest, milliseconds(rest));
        const int before = made;
        clock.advance(milliseconds(rest - 1));
        come_back(device);
        EXPECT_EQ(made, before) << "too early";
        clock.advance(milliseconds(1));
        come_back(device);
        EXPECT_EQ(made, before + 1);
    }
    EXPECT_EQ(device.status().state, DeviceState::ready);
    EXPECT_EQ(device.status().returns, 1u);
    device.succeeded(1);
    device.failed(device.engine(), {StatusCode::device_lost, 0, "x"});
    EXPECT_EQ(device.status().rest, milliseconds(1000)) << "a success shortens the next rest again";
}

TEST_F(DeviceLife, AFewErrorsInARowAreForgiven) {
    Device device = make();
    start(device);
    const Status error{StatusCode::device_error, 0, "x"};
    for (int i = 0; i < 10; ++i) {
        device.failed(device.engine(), error);
        device.failed(device.engine(), error);
        device.succeeded(1);
    }
    EXPECT_NE(device.engine(), nullptr);
    EXPECT_EQ(device.status().failures, 20u);
    const auto engine = device.engine();
    device.failed(engine, error);
    device.failed(engine, error);
    device.failed(engine, error);
    EXPECT_EQ(device.engine(), nullptr);
    device.failed(engine, error);
    EXPECT_EQ(device.status().rest, milliseconds(1000)) << "left once, not twice";
}

TEST_F(DeviceLife, OneThatComputesWrongBytesRests) {
    Device device = make();
    start(device);
    for (int i = 0; i < 3; ++i) {
        ASSERT_NE(device.engine(), nullptr);
        device.was_wrong(device.engine());
    }
    EXPECT_EQ(device.status().state, DeviceState::resting);
    EXPECT_EQ(device.status().wrong_items, 3u);
}

TEST_F(DeviceLife, TheEngineLivesWhileABatchHoldsIt) {
    Device device = make();
    start(device);
    const auto held = device.engine();
    const std::weak_ptr<kernels::Engine> watched = held;
    device.failed(held, {StatusCode::device_lost, 0, "x"});
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(watched.expired());
}

TEST_F(DeviceLife, OneThatHangsInItsTrialIsNeverDestroyed) {
    trial = "a batch hangs";
    trial_hangs = true;
    {
        Device device = make();
        start(device);
        EXPECT_EQ(device.engine(), nullptr);
        EXPECT_EQ(device.status().state, DeviceState::resting);
        clock.advance(milliseconds(1000));
        come_back(device);
        EXPECT_EQ(device.status().state, DeviceState::gone);
        clock.advance(milliseconds(1'000'000));
        come_back(device);
        EXPECT_EQ(made, 2);
    }
    EXPECT_EQ(destroyed, 0);
}

TEST_F(DeviceLife, OneThatFailsItsTrialIsDestroyed) {
    trial = "gives other bytes";
    Device device = make();
    start(device);
    EXPECT_EQ(destroyed, 1);
}

TEST_F(DeviceLife, OneThatIsGoneAfterARestSaysWhy) {
    refusals = {StatusCode::device_lost, StatusCode::no_device};
    Device device = make();
    start(device);
    clock.advance(milliseconds(1000));
    come_back(device);
    EXPECT_EQ(device.status().state, DeviceState::gone);
    EXPECT_EQ(device.status().detail, "as told");
}

TEST_F(DeviceLife, OneThatHangsTwiceIsGone) {
    Device device = make();
    start(device);
    device.failed(device.engine(), {StatusCode::timed_out, 0, "x"});
    EXPECT_EQ(device.status().state, DeviceState::resting);
    clock.advance(milliseconds(1000));
    come_back(device);
    ASSERT_NE(device.engine(), nullptr);
    device.failed(device.engine(), {StatusCode::timed_out, 0, "x"});
    EXPECT_EQ(device.status().state, DeviceState::gone);
    clock.advance(milliseconds(1'000'000));
    come_back(device);
    EXPECT_EQ(made, 2);
}

/// A driver that does not answer until it is told to. Its calls outlive a device.
struct SilentDriver {
    struct State {
        std::atomic<bool> answers = false;
        std::atomic<int> asked = 0;
        std::atomic<int> answered = 0;
    };
    MakeEngine make() const {
        return [state = state](std::unique_ptr<kernels::Engine>& engine) -> Status {
            ++state->asked;
            state->answers.wait(false);
            engine = std::make_unique<kernels::CpuEngine>(kernels::Limits{.batch_items_max = 1});
            ++state->answered;
            return {};
        };
    }
    void answer() const {
        state->answers = true;
        state->answers.notify_all();
    }
    Device device(const Clock& clock, DeviceLimits limits) const {
        return {"GPU 0", make(), [](kernels::Engine&) { return Trial(); },
                limits,  clock,  Logger(nullptr, LogLevel::notice)};
    }
    std::shared_ptr<State> state = std::make_shared<State>();
};

TEST_F(DeviceLife, ADriverThatDoesNotAnswerAtTheStartIsGoneOnWithout) {
    const SilentDriver driver;
    Device device = driver.device(clock, {});
    device.start();
    device.wait_for_start(std::chrono::steady_clock::now() + milliseconds(10));
    EXPECT_EQ(device.status().state, DeviceState::resting);
    EXPECT_EQ(device.status().detail, "it is not ready yet");
    clock.advance(milliseconds(1'000'000));
    device.come_back_when_rested();
    EXPECT_TRUE(device.status().trying);
    EXPECT_EQ(driver.state->asked, 1);
    driver.answer();
    wait_until_tried(device);
    EXPECT_EQ(device.status().state, DeviceState::ready);
    EXPECT_EQ(device.status().returns, 1u);
}

TEST_F(DeviceLife, ADriverThatDoesNotAnswerAfterARestHoldsUpNobody) {
    const SilentDriver driver;
    driver.answer();
    Device device = driver.device(clock, {});
    start(device);
    driver.state->answers = false;
    device.failed(device.engine(), {StatusCode::device_lost, 0, "x"});
    clock.advance(milliseconds(1000));
    device.come_back_when_rested();
    device.come_back_when_rested();
    EXPECT_EQ(device.engine(), nullptr);
    EXPECT_TRUE(device.status().trying);
    driver.answer();
    wait_until_tried(device);
    EXPECT_NE(device.engine(), nullptr);
    EXPECT_EQ(driver.state->asked, 2);
}

TEST_F(DeviceLife, ADriverThatNeverAnswersIsLeftToItself) {
    const SilentDriver driver;
    {
        Device device = driver.device(clock, {.end_max = milliseconds(10)});
        device.start();
    }
    driver.answer();
    while (driver.state->answered == 0)
        std::this_thread::yield();
    EXPECT_EQ(driver.state->asked, 1);
}

/// What it is destroyed by waits until it is told to go on.
struct ClingingEngine final : FaultyEngine {
    struct State {
        std::atomic<bool> lets_go = false;
        std::atomic<bool> gone = false;
    };
    explicit ClingingEngine(std::shared_ptr<State> its_state)
        : FaultyEngine(kernels::Limits{.batch_items_max = 1}, [] { return Fault::none; }),
          state(std::move(its_state)) {}
    ~ClingingEngine() override {
        state->lets_go.wait(false);
        state->gone = true;
    }
    std::shared_ptr<State> state;
};

TEST_F(DeviceLife, AnEngineThatCannotBeDestroyedHoldsUpNobody) {
    for (const char* end : {"a failed trial", "a lost context", "the end of the device"}) {
        const auto state = std::make_shared<ClingingEngine::State>();
        const std::string_view how = end;
        {
            Device device(
                "GPU 0",
                [state](std::unique_ptr<kernels::Engine>& engine) -> Status {
                    engine = std::make_unique<ClingingEngine>(state);
                    return {};
                },
                [&](kernels::Engine&) {
                    return Trial{how == "a failed trial" ? "no" : "", false};
                },
                {.end_max = milliseconds(10)}, clock, Logger(nullptr, LogLevel::notice));
            start(device);
            if (how == "a lost context")
                device.failed(device.engine(), {StatusCode::device_lost, 0, "x"});
        }
        EXPECT_FALSE(state->gone) << end;
        state->lets_go = true;
        state->lets_go.notify_all();
        while (!state->gone)
            std::this_thread::yield();
    }
}

TEST_F(DeviceLife, OneThatWasLeftAndThenHangsIsNotDestroyedEither) {
    {
        Device device = make();
        start(device);
        auto held = device.engine();
        device.failed(held, {StatusCode::device_lost, 0, "x"});
        EXPECT_EQ(device.status().state, DeviceState::resting);
        device.failed(held, {StatusCode::timed_out, 0, "x"});
        device.failed(held, {StatusCode::timed_out, 0, "x"});
        held.reset();
        EXPECT_EQ(destroyed, 0);
        clock.advance(milliseconds(1000));
        come_back(device);
        ASSERT_NE(device.engine(), nullptr);
        // Counted once: the next one that hangs is the second.
        device.failed(device.engine(), {StatusCode::timed_out, 0, "x"});
        EXPECT_EQ(device.status().state, DeviceState::gone);
    }
    EXPECT_EQ(destroyed, 0);
}

}  // namespace
}  // namespace fragmend::codec
