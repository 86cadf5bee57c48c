// The bounded cache of plans.
#include "host/codec/plan_cache.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "host/codec/cpu_codec.hpp"

namespace fragmend::codec {
namespace {

PlanKey key(std::uint8_t wanted) {
    return {{"isa_l_rs_cauchy", 4, 2}, {0, 1, 2, 3}, {wanted}};
}

std::shared_ptr<const CpuPlan> make_plan(std::uint8_t wanted) {
    const SchemeEntry entry{{"isa_l_rs_cauchy", 4, 20},
                            find_back_end("isa_l_rs_cauchy").value(),
                            gf::generator(gf::Code::isa_l_rs_cauchy, 4, 20).value()};
    const std::uint8_t survivors[] = {0, 1, 2, 3};
    return CpuPlan::make(entry, survivors, std::span(&wanted, 1), portable_kernels).value();
}

TEST(PlanCache, ForgetsThePlanThatWasNotAskedForLongest) {
    PlanCache cache(2);
    const auto four = make_plan(4);
    cache.insert(key(4), four);
    cache.insert(key(5), make_plan(5));
    EXPECT_EQ(cache.find(key(4)), four);
    cache.insert(key(6), make_plan(6));
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_EQ(cache.find(key(4)), four);
    EXPECT_EQ(cache.find(key(5)), nullptr);
    EXPECT_NE(cache.find(key(6)), nullptr);
}

TEST(PlanCache, KeepsTheFirstOfTwoEqualInsertions) {
    PlanCache cache(2);
    const auto first = make_plan(4);
    cache.insert(key(4), first);
    cache.insert(key(4), make_plan(4));
    EXPECT_EQ(cache.find(key(4)), first);
    EXPECT_EQ(cache.size(), 1u);
}

TEST(PlanCache, ServesManyThreads) {
    CpuCodecOptions options;
    options.plans_max = 4;
    CpuCodec codec(options);
    const EcScheme scheme{"isa_l_rs_cauchy", 4, 8};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&codec, &scheme, t] {
            for (int i = 0; i < 300; ++i) {
                const auto wanted = static_cast<std::uint8_t>(4 + (i + t) % 8);
                const std::uint8_t survivors[] = {0, 1, 2, 3};
                const auto plan = codec.plan(scheme, survivors, wanted);
                EXPECT_EQ(plan.value()->wanted(), std::vector<std::uint8_t>{wanted});
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace fragmend::codec
