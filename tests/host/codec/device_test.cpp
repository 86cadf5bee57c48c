// The life of a device, with time in the test's hand.
#include "host/codec/device.hpp"

#include <gtest/gtest.h>

#include <deque>

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
    device.start();
    EXPECT_NE(device.engine(), nullptr);
    EXPECT_EQ(device.status().state, DeviceState::ready);
    EXPECT_EQ(device.status().name, "an engine that fails");
}

TEST_F(DeviceLife, NoDeviceIsNotAskedAgain) {
    refusals = {StatusCode::no_device};
    Device device = make();
    device.start();
    EXPECT_EQ(device.status().state, DeviceState::gone);
    clock.advance(milliseconds(1'000'000));
    device.come_back_when_rested();
    EXPECT_EQ(made, 1);
}

TEST_F(DeviceLife, OneThatGivesWrongBytesIsNotUsed) {
    trial = "gives other bytes";
    Device device = make();
    device.start();
    EXPECT_EQ(device.engine(), nullptr);
    EXPECT_EQ(device.status().state, DeviceState::resting);
    EXPECT_EQ(device.status().detail, "gives other bytes");
    trial.clear();
    clock.advance(milliseconds(1000));
    device.come_back_when_rested();
    EXPECT_NE(device.engine(), nullptr);
}

TEST_F(DeviceLife, RestsTwiceAsLongEachTimeAndComesBack) {
    refusals = {StatusCode::out_of_memory, StatusCode::device_lost, StatusCode::device_error};
    Device device = make();
    device.start();
    for (const int rest : {1000, 2000, 4000}) {
        EXPECT_EQ(device.status().state, DeviceState::resting);
        EXPECT_EQ(device.status().rest, milliseconds(rest));
        const int before = made;
        clock.advance(milliseconds(rest - 1));
        device.come_back_when_rested();
        EXPECT_EQ(made, before) << "too early";
        clock.advance(milliseconds(1));
        device.come_back_when_rested();
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
    device.start();
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
    device.start();
    for (int i = 0; i < 3; ++i) {
        ASSERT_NE(device.engine(), nullptr);
        device.was_wrong(device.engine());
    }
    EXPECT_EQ(device.status().state, DeviceState::resting);
    EXPECT_EQ(device.status().wrong_items, 3u);
}

TEST_F(DeviceLife, TheEngineLivesWhileABatchHoldsIt) {
    Device device = make();
    device.start();
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
        device.start();
        EXPECT_EQ(device.engine(), nullptr);
        EXPECT_EQ(device.status().state, DeviceState::resting);
        clock.advance(milliseconds(1000));
        device.come_back_when_rested();
        EXPECT_EQ(device.status().state, DeviceState::gone);
        clock.advance(milliseconds(1'000'000));
        device.come_back_when_rested();
        EXPECT_EQ(made, 2);
    }
    EXPECT_EQ(destroyed, 0);
}

TEST_F(DeviceLife, OneThatFailsItsTrialIsDestroyed) {
    trial = "gives other bytes";
    Device device = make();
    device.start();
    EXPECT_EQ(destroyed, 1);
}

TEST_F(DeviceLife, OneThatIsGoneAfterARestSaysWhy) {
    refusals = {StatusCode::device_lost, StatusCode::no_device};
    Device device = make();
    device.start();
    clock.advance(milliseconds(1000));
    device.come_back_when_rested();
    EXPECT_EQ(device.status().state, DeviceState::gone);
    EXPECT_EQ(device.status().detail, "as told");
}

TEST_F(DeviceLife, OneThatHangsTwiceIsGone) {
    Device device = make();
    device.start();
    device.failed(device.engine(), {StatusCode::timed_out, 0, "x"});
    EXPECT_EQ(device.status().state, DeviceState::resting);
    clock.advance(milliseconds(1000));
    device.come_back_when_rested();
    ASSERT_NE(device.engine(), nullptr);
    device.failed(device.engine(), {StatusCode::timed_out, 0, "x"});
    EXPECT_EQ(device.status().state, DeviceState::gone);
    clock.advance(milliseconds(1'000'000));
    device.come_back_when_rested();
    EXPECT_EQ(made, 2);
}

}  // namespace
}  // namespace fragmend::codec
