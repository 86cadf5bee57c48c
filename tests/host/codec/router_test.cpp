// Which path a batch takes, and how the answer follows what was observed.
#include "host/codec/router.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <queue>
#include <vector>

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

/// Decode workers that share some cores and one device, which does one batch after the other.
/// It has three slots. Times are in units of what a batch takes on a core.
struct Workshop {
    struct Worker {
        double ready_at = 0;
        std::function<void()> then;
        bool operator<(const Worker& other) const { return ready_at > other.ready_at; }
    };

    /// Batches a unit of time, over so many.
    double work(int cores, int workers, double device_takes, int batches) {
        router.observe(Path::cpu, field, large, 1);
        router.observe(Path::device, field, large, device_takes);
        for (int i = 0; i < workers; ++i)
            crew.push({0.0, [] {}});
        double device_free_at = 0, now = 0;
        for (int i = 0; i < batches; ++i) {
            const Worker worker = crew.top();
            crew.pop();
            now = worker.ready_at;
            worker.then();
            const auto departure = router.choose(field, large) == Path::device
                                       ? router.depart(field, large)
                                       : Router::Departure();
            const bool flies = departure.own_s > 0 && in_flight < 3;
            if (!flies) router.arrive(departure);
            if (!flies) {
                const double takes = std::max(1.0, ++on_cores * 1.0 / cores);
                crew.push({now + takes, [this, takes] {
                               --on_cores;
                               router.observe(Path::cpu, field, large, takes);
                           }});
                continue;
            }
            ++on_device;
            ++in_flight;
            const double began = now;
            const double done = device_free_at = std::max(device_free_at, now) + device_takes;
            crew.push({done, [this, departure, began, done] {
                           --in_flight;
                           router.arrive(departure);
                           router.observe(Path::device, field, large,
                                          (done - began) * departure.share);
                       }});
        }
        return batches / now;
    }

    Router router{RoutePolicy::measured};
    std::priority_queue<Worker> crew;
    int on_cores = 0;
    int on_device = 0;
    int in_flight = 0;
};

TEST(Router, BothWorkWhenBothAreWorthIt) {
    constexpr int batches = 20000, cores = 6, workers = cores + Router::queue_batches + 1;
    // Three batches a unit on the device, six on the cores.
    Workshop even;
    EXPECT_GT(even.work(cores, workers, 1.0 / 3, batches), 8.5);
    Workshop strong;
    EXPECT_GT(strong.work(cores, workers, 1.0 / 50, batches), 54);
    EXPECT_GT(strong.on_device, batches * 0.85);
    Workshop weak;
    EXPECT_GT(weak.work(cores, workers, 3.0, batches), 5.8);
    EXPECT_LT(weak.on_device, batches / 8);
}

TEST(Router, WhatNeverDepartsKeepsNobodyWaiting) {
    Router router(RoutePolicy::measured);
    teach(router);
    for (int i = 0; i < 1000; ++i)
        router.arrive(router.depart(field, large));
    EXPECT_EQ(router.choose(field, large), Path::device);
    EXPECT_EQ(router.depart(gf::Field::gf16, large).share, 1) << "nothing known of this field";
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
