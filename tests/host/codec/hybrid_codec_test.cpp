// Devices and the CPU together: the same bytes whatever a device does.
#include "host/codec/hybrid_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "host/codec/make_codec.hpp"
#include "tests/host/codec/faulty_engine.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Each instance of liberasurecode_rs_vand replaces the library's tables and leaves the former ones;
// an engine with a batch that hangs is kept for ever on purpose.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:rs_galois_init_tables\nleak:Device::make_engine\nleak:Device::leave\n";
}
#endif

namespace fragmend::codec {
namespace {

using testing::HasSubstr;

kernels::Limits small_limits() {
    kernels::Limits limits;
    limits.batches_in_flight = 4;
    limits.batch_items_max = 64;
    limits.batch_sources_max = 1024;
    limits.batch_outputs_max = 64;
    limits.batch_rows_max = 128;
    limits.batch_input_bytes_max = 1 << 20;
    limits.batch_output_bytes_max = 1 << 18;
    return limits;
}

HybridOptions options() {
    HybridOptions options;
    options.route = RoutePolicy::device_first;
    options.calibrate = false;
    options.limits = small_limits();
    return options;
}

DeviceSource source(std::function<Fault()> next) {
    return {"GPU 0", [next = std::move(next)](std::unique_ptr<kernels::Engine>& engine) {
                engine = std::make_unique<FaultyEngine>(small_limits(), next);
                return kernels::Status();
            }};
}

const EcScheme schemes[] = {{"isa_l_rs_cauchy", 4, 2},        {"isa_l_rs_vand", 10, 4},
                            {"liberasurecode_rs_vand", 4, 2}, {"jerasure_rs_vand", 6, 3},
                            {"jerasure_rs_cauchy", 4, 2},     {"flat_xor_hd_3", 10, 5}};

/// An object of one round: its fragments, its plan, what its survivors' MD5s are.
struct Object {
    Object(CpuCodec& cpu, const EcScheme& scheme, std::size_t bytes, std::mt19937_64& random)
        : fragments(encode(cpu, scheme, bytes, random)) {
        Indexes available(fragments.size());
        std::iota(available.begin(), available.end(), std::uint8_t{0});
        std::ranges::shuffle(available, random);
        // Any k determine all others, but for a flat XOR code.
        const bool flat = scheme.ec_type == "flat_xor_hd_3";
        const std::size_t count = flat ? 1 : 1 + random() % static_cast<std::size_t>(scheme.m);
        wanted.assign(available.end() - static_cast<std::ptrdiff_t>(count), available.end());
        available.resize(available.size() - count);
        const auto survivors = cpu.choose_survivors(scheme, available, wanted.front()).value();
        plan = cpu.plan(scheme, survivors, wanted).value();
        for (std::uint8_t index : plan->survivors()) {
            Md5 md5;
            md5.update(fragments[index]);
            md5s.push_back(md5.finish());
        }
    }
    Fragments fragments;
    Indexes wanted;
    std::shared_ptr<const scheduler::DecodePlan> plan;
    std::vector<Md5Digest> md5s;
};

std::vector<Object> make_objects(std::size_t count, std::uint64_t seed,
                                 std::size_t bytes_max = 20000) {
    std::mt19937_64 random(seed);
    CpuCodec cpu;
    std::vector<Object> objects;
    for (std::size_t i = 0; i < count; ++i) {
        objects.emplace_back(cpu, schemes[i % std::size(schemes)], 1 + random() % bytes_max,
                             random);
    }
    return objects;
}

/// Runs all objects as one batch and expects whole, true results.
void run_and_expect(HybridCodec& codec, std::span<Object> objects) {
    std::vector<std::unique_ptr<OneRebuild>> rebuilds;
    std::vector<std::unique_ptr<scheduler::SurvivorDigests>> digests;
    std::vector<scheduler::SegmentWork*> batch;
    for (Object& object : objects) {
        rebuilds.push_back(std::make_unique<OneRebuild>(object.plan, object.fragments));
        digests.push_back(codec.digests(object.plan->survivors().size()));
        rebuilds.back()->item.digests = digests.back().get();
        batch.push_back(&rebuilds.back()->item);
    }
    codec.run(batch);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        ASSERT_FALSE(rebuilds[i]->item.error) << rebuilds[i]->item.error->detail;
        ASSERT_EQ(rebuilds[i]->item.digests, digests[i].get());
        for (std::size_t o = 0; o < objects[i].wanted.size(); ++o)
            ASSERT_TRUE(rebuilds[i]->outputs[o] == objects[i].fragments[objects[i].wanted[o]]);
        for (std::size_t j = 0; j < objects[i].md5s.size(); ++j) {
            ASSERT_EQ(digests[i]->finish(j), objects[i].md5s[j]);
        }
    }
}

TEST(HybridCodec, ADeviceGivesTheSameFragmentsAndDigests) {
    HandClock clock;
    HybridCodec codec(options(), {source([] { return Fault::none; })}, clock);
    auto objects = make_objects(60, test_seed());
    run_and_expect(codec, objects);
    ASSERT_EQ(codec.status().size(), 1u);
    const DeviceStatus status = codec.status()[0];
    EXPECT_EQ(status.state, DeviceState::ready);
    EXPECT_EQ(status.items, 60u);
    EXPECT_EQ(status.failures, 0u);
}

TEST(HybridCodec, ADeviceThatHangsInItsTrialIsLeftToItself) {
    struct Watched final : FaultyEngine {
        explicit Watched(bool& flag)
            : FaultyEngine(small_limits(), [] { return Fault::hang; }), destroyed(flag) {}
        ~Watched() override { destroyed = true; }
        bool& destroyed;
    };
    HandClock clock;
    bool destroyed = false;
    HybridCodec codec(options(),
                      {{"GPU 0",
                        [&](std::unique_ptr<kernels::Engine>& engine) {
                            engine = std::make_unique<Watched>(destroyed);
                            return kernels::Status();
                        }}},
                      clock);
    EXPECT_FALSE(destroyed);
    EXPECT_EQ(codec.status()[0].state, DeviceState::resting);
    auto objects = make_objects(6, test_seed());
    run_and_expect(codec, objects);
}

TEST(HybridCodec, DigestsGoOnFromBatchToBatchOnEitherPath) {
    std::mt19937_64 random(test_seed());
    HandClock clock;
    bool fails = false;
    HybridCodec codec(options(), {source([&] { return fails ? Fault::wait_error : Fault::none; })},
                      clock);
    CpuCodec cpu;
    const EcScheme scheme{"isa_l_rs_cauchy", 4, 2};
    const auto plan = codec.plan(scheme, Indexes{0, 1, 3, 4}, 2).value();
    const auto digests = codec.digests(4);
    std::vector<Md5> references(4);
    for (int round = 0; round < 12; ++round) {
        const Fragments fragments = encode(cpu, scheme, 1 + random() % 3000, random);
        OneRebuild rebuild(plan, fragments);
        rebuild.item.digests = digests.get();
        fails = round % 3 == 1;
        scheduler::SegmentWork* batch[] = {&rebuild.item};
        codec.run(batch);
        ASSERT_FALSE(rebuild.item.error);
        for (std::size_t j = 0; j < 4; ++j) {
            references[j].update(rebuild.survivors[j]);
        }
    }
    for (std::size_t j = 0; j < 4; ++j) {
        EXPECT_EQ(digests->finish(j), references[j].finish());
    }
}

TEST(HybridCodec, NamesTheCulpritAsTheCpuDoes) {
    HandClock clock;
    HybridCodec codec(options(), {source([] { return Fault::none; })}, clock);
    auto objects = make_objects(6, test_seed());
    Fragments spoiled = objects[0].fragments;
    const std::uint8_t victim = objects[0].plan->survivors()[1];
    spoiled[victim][5] ^= std::byte{1};
    OneRebuild bad(objects[0].plan, spoiled);
    OneRebuild good(objects[1].plan, objects[1].fragments);
    scheduler::SegmentWork* batch[] = {&bad.item, &good.item};
    codec.run(batch);
    ASSERT_TRUE(bad.item.error);
    EXPECT_EQ(bad.item.culprit, 1);
    EXPECT_THAT(bad.item.error->detail, HasSubstr("wrong CRC"));
    EXPECT_FALSE(good.item.error);
    EXPECT_TRUE(good.output == objects[1].fragments[objects[1].wanted[0]]);
}

TEST(HybridCodec, MoreThanADeviceHoldsGoesInSeveralBatches) {
    HandClock clock;
    std::atomic<int> batches = 0;
    HybridCodec codec(options(), {source([&] {
                          ++batches;
                          return Fault::none;
                      })},
                      clock);
    const int before = batches;
    auto objects = make_objects(150, test_seed());
    run_and_expect(codec, objects);
    EXPECT_GE(batches - before, 3);
}

/// Looks about whenever somebody waits for it.
class WatchedEngine final : public FaultyEngine {
  public:
    explicit WatchedEngine(std::function<void()> on_wait)
        : FaultyEngine(small_limits(), [] { return Fault::none; }), on_wait_(std::move(on_wait)) {}
    kernels::Status wait(kernels::Ticket ticket, std::uint32_t limit_ms) override {
        on_wait_();
        return FaultyEngine::wait(ticket, limit_ms);
    }

  private:
    std::function<void()> on_wait_;
};

TEST(HybridCodec, TheCpuWorksWhileADeviceDoes) {
    auto objects = make_objects(6, test_seed());
    std::mt19937_64 random(test_seed());
    CpuCodec cpu;
    // More than the device takes at a time.
    objects.emplace_back(cpu, schemes[0], std::size_t{3} << 20, random);
    OneRebuild large(objects[6].plan, objects[6].fragments);
    OneRebuild small(objects[0].plan, objects[0].fragments);
    int waits = 0;
    const auto look = [&] {
        ++waits;
        EXPECT_TRUE(large.output == objects[6].fragments[objects[6].wanted[0]]);
    };
    HandClock clock;
    bool is_trial = true;
    HybridCodec codec(options(),
                      {{"GPU 0",
                        [&](std::unique_ptr<kernels::Engine>& engine) {
                            engine = std::make_unique<WatchedEngine>([&] {
                                if (!is_trial) look();
                            });
                            return kernels::Status();
                        }}},
                      clock);
    is_trial = false;
    std::vector<scheduler::SegmentWork*> batch{&small.item, &large.item};
    codec.run(batch);
    EXPECT_EQ(waits, 1);
    EXPECT_TRUE(small.output == objects[0].fragments[objects[0].wanted[0]]);
}

TEST(HybridCodec, SeveralDevicesTakeTurns) {
    HandClock clock;
    HybridCodec codec(
        options(), {source([] { return Fault::none; }), source([] { return Fault::none; })}, clock);
    auto objects = make_objects(12, test_seed());
    for (int i = 0; i < 6; ++i) {
        run_and_expect(codec, objects);
    }
    EXPECT_EQ(codec.status()[0].batches, 3u);
    EXPECT_EQ(codec.status()[1].batches, 3u);
}

TEST(HybridCodec, WithoutDevicesItIsTheCpu) {
    HandClock clock;
    HybridCodec codec(options(), {}, clock);
    auto objects = make_objects(12, test_seed());
    run_and_expect(codec, objects);
    EXPECT_TRUE(codec.status().empty());
}

TEST(HybridCodec, AnEngineThatMiscomputesIsFoundAtStart) {
    /// Wrong without saying so: what no check of its own would find.
    class Liar final : public kernels::Engine {
      public:
        const char* name() const override { return "liar"; }
        const kernels::Limits& limits() const override { return inner.limits(); }
        kernels::Status submit(std::span<kernels::Item> items, kernels::Memory memory,
                               kernels::Ticket& ticket) override {
            auto status = inner.submit(items, memory, ticket);
            if (!items.empty() && !items[0].outputs.empty()) items[0].outputs[0][0] ^= 1;
            return status;
        }
        kernels::Status wait(kernels::Ticket ticket, std::uint32_t limit_ms) override {
            return inner.wait(ticket, limit_ms);
        }
        std::uint8_t* allocate_pinned(std::size_t) override { return nullptr; }
        void free_pinned(std::uint8_t*) override {}

      private:
        kernels::CpuEngine inner{small_limits()};
    };
    HandClock clock;
    HybridCodec codec(options(),
                      {{"GPU 0",
                        [](std::unique_ptr<kernels::Engine>& engine) {
                            engine = std::make_unique<Liar>();
                            return kernels::Status();
                        }}},
                      clock);
    EXPECT_EQ(codec.status()[0].state, DeviceState::resting);
    EXPECT_THAT(codec.status()[0].detail, HasSubstr("other bytes than the CPU"));
    auto objects = make_objects(12, test_seed());
    run_and_expect(codec, objects);
    EXPECT_EQ(codec.status()[0].items, 0u);
}

/// A thousand faults of every kind, 32 threads submitting at once; time passes, so devices come
/// back.
TEST(HybridCodec, AThousandFaultsCostNothingButTime) {
    HandClock clock;
    std::atomic<std::uint32_t> injected = 0;
    std::atomic<std::uint64_t> state = test_seed();
    const auto next = [&] {
        std::uint64_t x = state.fetch_add(0x9e3779b97f4a7c15) + 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        const std::uint64_t kind = (x >> 32) % (2 * faults);
        const auto fault = kind < faults ? static_cast<Fault>(kind) : Fault::none;
        // An engine that hangs is kept for ever, so only now and then.
        if (fault == Fault::hang && x % 16 != 0) return Fault::wait_lost;
        if (fault != Fault::none) ++injected;
        return fault;
    };
    HybridOptions hybrid = options();
    hybrid.device.engines_abandoned_max = 1000;
    // The trial of a new engine goes well, else none would ever come back.
    constexpr int trial_batches = 12;
    const auto make = [&](std::unique_ptr<kernels::Engine>& engine) {
        const auto asked = std::make_shared<std::atomic<int>>(0);
        engine = std::make_unique<FaultyEngine>(small_limits(), [asked, &next] {
            return (*asked)++ < trial_batches ? Fault::none : next();
        });
        return kernels::Status();
    };
    HybridCodec codec(hybrid, {{"GPU 0", make}, {"GPU 1", make}}, clock);
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 32; ++t) {
        threads.emplace_back([&, t] {
            auto objects = make_objects(7, test_seed() + t, 2000);
            while (injected < 1000 && !testing::Test::HasFatalFailure()) {
                run_and_expect(codec, objects);
                clock.advance(std::chrono::milliseconds(100'000));
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    std::uint64_t failures = 0;
    std::uint64_t wrong = 0;
    std::uint64_t returns = 0;
    std::uint64_t batches = 0;
    for (const DeviceStatus& status : codec.status()) {
        failures += status.failures;
        wrong += status.wrong_items;
        returns += status.returns;
        batches += status.batches;
    }
    std::cout << injected << " faults injected: " << failures << " batches failed, " << wrong
              << " items were wrong, " << returns << " returns, " << batches
              << " batches went well\n";
    EXPECT_GE(injected, 1000u);
    EXPECT_GT(failures, 100u);
    EXPECT_GT(wrong, 10u);
    EXPECT_GT(returns, 10u);
    EXPECT_GT(batches, 10u);
}

/// The trial of a new engine goes well; then comes `fault`, once.
DeviceSource once(Fault fault, std::shared_ptr<std::atomic<int>> asked, int at) {
    return source([=] { return (*asked)++ == at ? fault : Fault::none; });
}

TEST(HybridCodec, ACheckAsksEveryDeviceForEveryFragment) {
    const EcScheme scheme{"liberasurecode_rs_vand", 4, 2};
    HandClock clock;
    const auto first = std::make_shared<std::atomic<int>>(0);
    const auto second = std::make_shared<std::atomic<int>>(0);
    HybridCodec codec(options(), {once(Fault::none, first, -1), once(Fault::none, second, -1)},
                      clock);
    const int trial = *first;
    EXPECT_TRUE(codec.check(scheme));
    EXPECT_EQ(*first, trial + 6);
    EXPECT_EQ(*second, trial + 6);
}

TEST(HybridCodec, ACheckFailsWhenADeviceIsWrongOrLeavesAnythingToTheCpu) {
    const EcScheme scheme{"liberasurecode_rs_vand", 4, 2};
    const auto untouched = std::make_shared<std::atomic<int>>(0);
    HandClock clock;
    const HybridCodec counted(options(), {once(Fault::none, untouched, -1)}, clock);
    for (const Fault fault : {Fault::wrong, Fault::busy, Fault::too_large, Fault::submit_error,
                              Fault::submit_lost, Fault::wait_error, Fault::wait_lost}) {
        const auto asked = std::make_shared<std::atomic<int>>(0);
        // The last fragment: all of them count.
        HybridCodec codec(options(), {once(fault, asked, *untouched + 5)}, clock);
        const auto checked = codec.check(scheme);
        ASSERT_TRUE(checked.has_error()) << static_cast<int>(fault);
        EXPECT_EQ(checked.error().code,
                  fault == Fault::wrong ? errc::wrong_bytes : errc::unsupported_scheme);
        EXPECT_THAT(checked.error().detail, HasSubstr("an engine that fails"));
        EXPECT_THAT(checked.error().detail,
                    HasSubstr(fault == Fault::wrong ? "computed wrong" : "left to the CPU"));
    }
}

TEST(HybridCodec, ACheckOfARoutedCodecIsTheCpus) {
    HybridOptions routed = options();
    routed.route = RoutePolicy::measured;
    HandClock clock;
    const auto asked = std::make_shared<std::atomic<int>>(0);
    HybridCodec codec(routed, {once(Fault::none, asked, -1)}, clock);
    const int trial = *asked;
    EXPECT_TRUE(codec.check({"liberasurecode_rs_vand", 4, 2}));
    EXPECT_EQ(*asked, trial);
}

TEST(MakeCodec, WorksOnThisMachine) {
    std::string why_none;
    const auto sources = device_sources({}, &why_none);
    EXPECT_EQ(sources.empty(), !why_none.empty());
    SystemClock clock;
    const auto codec = make_codec({}, clock);
    EXPECT_TRUE(codec->check({"liberasurecode_rs_vand", 4, 2}));
}

}  // namespace
}  // namespace fragmend::codec
