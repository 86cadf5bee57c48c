// A storm of quarantines ends by itself, device by device.
#include "host/sync/quarantine_brake.hpp"

#include <gtest/gtest.h>

namespace fragmend::sync {
namespace {

using Answer = QuarantineBrake::Answer;

struct QuarantineBrakeTest : ::testing::Test {
    QuarantineBrake brake{3};
    QuarantineBrake::Instant now{};
    Answer ask(const char* device = "d1") { return brake.ask(device, now); }
};

TEST_F(QuarantineBrakeTest, StopsADeviceAfterItsLimitAndSaysSoOnce) {
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(), Answer::go);
    EXPECT_EQ(ask(), Answer::stop_now);
    EXPECT_EQ(ask(), Answer::stopped);
    now += 10 * QuarantineBrake::window;
    EXPECT_EQ(ask(), Answer::stopped);
    EXPECT_EQ(ask("d2"), Answer::go);
}

TEST_F(QuarantineBrakeTest, ASlowTrickleGoesOn) {
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(ask(), Answer::go);
        now += std::chrono::minutes(20);
    }
}

TEST_F(QuarantineBrakeTest, TheWindowEndsToTheMoment) {
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(), Answer::go);
    now += QuarantineBrake::window - std::chrono::nanoseconds(1);
    EXPECT_EQ(ask(), Answer::stop_now);
}

TEST_F(QuarantineBrakeTest, ZeroMeansNoBrake) {
    QuarantineBrake none(0);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(none.ask("d1", now), Answer::go);
}

}  // namespace
}  // namespace fragmend::sync
