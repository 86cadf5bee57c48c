// Which path a batch takes, and how the answer follows what was observed.
#include "host/codec/router.hpp"

#include <gtest/gtest.h>

namespace fragmend::codec {
namespace {

constexpr std::size_t small = 16 << 10;
constexpr std::size_t large = 16 << 20;
constexpr gf::Field field = gf::Field::gf8;

/// A device that takes long to start and little for a byte.
void teach(Router& router) {
    for (std::size_t bytes = 4096; bytes <= large; bytes *= 4) {
        const auto size = static_cast<double>(bytes);
        router.observe(Path::cpu, field, bytes, size / 4e9);
        router.observe(Path::device, field, bytes, 100e-6 + size / 20e9);
    }
}

TEST(Router, WithoutADeviceItIsTheCpu) {
    Router router(RoutePolicy::measured);
    EXPECT_EQ(router.choose(field, large), Path::cpu);
    router.observe(Path::cpu, field, large, 1);
    EXPECT_EQ(router.choose(field, large), Path::cpu);
}

TEST(Router, SmallBatchesStayAndLargeOnesGo) {
    Router router(RoutePolicy::measured);
    teach(router);
    EXPECT_EQ(router.choose(field, small), Path::cpu);
    EXPECT_EQ(router.choose(field, large), Path::device);
    EXPECT_EQ(router.choose(field, 8 * large), Path::device) << "larger than anything observed";
    EXPECT_EQ(router.choose(field, 1), Path::cpu);
    EXPECT_EQ(router.choose(gf::Field::gf16, large), Path::cpu) << "nothing known of this field";
}

TEST(Router, CorrectsItselfAsItGoes) {
    Router router(RoutePolicy::measured);
    teach(router);
    for (int i = 0; i < 100; ++i) {
        router.observe(Path::device, field, large, 1.0);
    }
    EXPECT_EQ(router.choose(field, large), Path::cpu) << "the device has become slow";
    for (int i = 0; i < 100; ++i) {
        router.observe(Path::device, field, large, 1e-4);
    }
    EXPECT_EQ(router.choose(field, large), Path::device);
}

TEST(Router, TriesTheOtherPathNowAndThenUnlessItIsFarBehind) {
    for (const double factor : {2.0, 10.0}) {
        Router router(RoutePolicy::measured);
        router.observe(Path::cpu, field, large, 0.001);
        router.observe(Path::device, field, large, 0.001 * factor);
        int device = 0;
        for (int i = 0; i < 1024; ++i) {
            if (router.choose(field, large) == Path::device) ++device;
        }
        EXPECT_EQ(device, factor < 4 ? 4 : 0);
    }
}

TEST(Router, ForgetsWhatALostDeviceTook) {
    Router router(RoutePolicy::measured);
    teach(router);
    router.forget_device();
    EXPECT_EQ(router.choose(field, large), Path::cpu);
    EXPECT_FALSE(router.estimate(Path::device, field, large));
    EXPECT_TRUE(router.estimate(Path::cpu, field, large));
}

TEST(Router, NothingTakesNoTimeAndNoBytes) {
    Router router(RoutePolicy::measured);
    router.observe(Path::cpu, field, 0, 1);
    router.observe(Path::cpu, field, 100, 0);
    router.observe(Path::cpu, field, 100, -1);
    EXPECT_FALSE(router.estimate(Path::cpu, field, 100));
}

TEST(Router, DeviceFirstAsksNothing) {
    Router router(RoutePolicy::device_first);
    EXPECT_EQ(router.choose(field, 1), Path::device);
}

}  // namespace
}  // namespace fragmend::codec
