// The engine's calls over a runtime that the CPU plays: copies, and contexts that die.
#include "kernels/cuda/device_engine.hpp"

#include <gtest/gtest.h>

#include <array>

#include "kernels/cuda/make_device_engine.hpp"
#include "tests/kernels/cuda/played_runtime.hpp"

namespace fragmend::cuda {
namespace {

using kernels::Status;
using kernels::StatusCode;

kernels::Limits small_limits() {
    kernels::Limits limits;
    limits.batches_in_flight = 1;
    limits.batch_items_max = limits.batch_outputs_max = limits.batch_rows_max = 8;
    limits.batch_sources_max = 16;
    limits.batch_input_bytes_max = limits.batch_output_bytes_max = 1 << 16;
    return limits;
}

/// An XOR of two sources.
struct Pair {
    static kernels::Rows make_rows() {
        gf::Matrix ones(gf::Field::gf2, 1, 2);
        ones.at(0, 0) = ones.at(0, 1) = 1;
        return kernels::Rows::make(ones).value();
    }
    kernels::Item item() {
        kernels::Item item;
        item.rows = &rows;
        item.sources = sources;
        item.outputs = outputs;
        item.bytes = 5;
        return item;
    }
    kernels::Rows rows = make_rows();
    std::array<std::uint8_t, 16> bytes = {1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9, 10};
    std::array<std::uint8_t, 5> out = {};
    std::array<const std::uint8_t*, 2> sources = {&bytes[0], &bytes[8]};
    std::array<std::uint8_t*, 1> outputs = {out.data()};
};

Status run(kernels::Engine& engine, const kernels::Item& one, kernels::Memory memory) {
    std::array items = {one};
    kernels::Ticket ticket;
    const Status status = engine.submit(items, memory, ticket);
    return status.ok() ? engine.wait(ticket, 1000) : status;
}

Status kill(kernels::Engine& engine) {
    Pair pair;
    pair.sources[0] = reinterpret_cast<const std::uint8_t*>(std::uintptr_t{16});
    return run(engine, pair.item(), kernels::Memory::mapped);
}

class DeviceEngineTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(make().ok()); }
    void TearDown() override {
        engine.reset();
        played::resets_help(true);
        played::has_code(true);
        // Whatever a test left dead is alive for the next one.
        std::unique_ptr<kernels::Engine> last;
        (void)make_device_engine(0, small_limits(), last);
    }
    Status make() { return make_device_engine(0, small_limits(), engine); }

    std::unique_ptr<kernels::Engine> engine;
};

TEST_F(DeviceEngineTest, EveryKindOfMemoryGivesTheSame) {
    for (const auto memory :
         {kernels::Memory::plain, kernels::Memory::pinned, kernels::Memory::mapped}) {
        Pair pair;
        ASSERT_TRUE(run(*engine, pair.item(), memory).ok());
        EXPECT_EQ(pair.out, (std::array<std::uint8_t, 5>{7, 5, 11, 13, 15}));
    }
}

TEST_F(DeviceEngineTest, PinnedFragmentsAtEqualDistancesGoUpTogether) {
    Pair pair;
    const unsigned before = played::copies();
    ASSERT_TRUE(run(*engine, pair.item(), kernels::Memory::pinned).ok());
    // Sources, control, what comes back of that, the output.
    EXPECT_EQ(played::copies() - before, 4u);
}

TEST_F(DeviceEngineTest, ACallThatHangsHoldsUpNobody) {
    Pair pair;
    std::array items = {pair.item()};
    kernels::Ticket ticket;
    played::copies_hang(true);
    ASSERT_TRUE(engine->submit(items, kernels::Memory::plain, ticket).ok());
    EXPECT_EQ(engine->wait(ticket, 10).code, StatusCode::timed_out);
    // What hangs has its own copy of the sources.
    const auto before = pair.bytes;
    pair.bytes.fill(0);
    kernels::Ticket second;
    EXPECT_EQ(engine->submit(items, kernels::Memory::plain, second).code, StatusCode::busy);
    played::copies_hang(false);
    EXPECT_EQ(pair.out, (std::array<std::uint8_t, 5>{})) << "written only while somebody waits";
    ASSERT_TRUE(engine->wait(ticket, 10'000).ok());
    EXPECT_EQ(pair.out, (std::array<std::uint8_t, 5>{7, 5, 11, 13, 15}));
    pair.bytes = before;
    EXPECT_TRUE(run(*engine, pair.item(), kernels::Memory::plain).ok());
}

TEST_F(DeviceEngineTest, ABatchThatNobodyWaitsForEndsBeforeItsEngine) {
    Pair pair;
    std::array items = {pair.item()};
    kernels::Ticket ticket;
    const unsigned before = played::copies();
    ASSERT_TRUE(engine->submit(items, kernels::Memory::plain, ticket).ok());
    engine.reset();
    EXPECT_GT(played::copies(), before);
    EXPECT_EQ(pair.out, (std::array<std::uint8_t, 5>{}));
}

TEST_F(DeviceEngineTest, AContextThatDiedIsMadeAnew) {
    const unsigned before = played::resets();
    EXPECT_EQ(kill(*engine).code, StatusCode::device_lost);
    engine.reset();
    ASSERT_TRUE(make().ok());
    EXPECT_EQ(played::resets() - before, 1u);
    Pair pair;
    EXPECT_TRUE(run(*engine, pair.item(), kernels::Memory::plain).ok());
}

TEST_F(DeviceEngineTest, ALivingContextIsLeftAlone) {
    const unsigned before = played::resets();
    engine.reset();
    ASSERT_TRUE(make().ok());
    EXPECT_EQ(played::resets(), before);
}

TEST_F(DeviceEngineTest, NothingIsResetBelowAnEngineThatIsStillThere) {
    const unsigned before = played::resets();
    EXPECT_EQ(kill(*engine).code, StatusCode::device_lost);
    std::unique_ptr<kernels::Engine> other;
    EXPECT_EQ(make_device_engine(0, small_limits(), other).code, StatusCode::device_lost);
    EXPECT_EQ(played::resets(), before);
    engine.reset();
    EXPECT_TRUE(make().ok());
}

TEST_F(DeviceEngineTest, WhereAResetDoesNotHelpThereIsNoDevice) {
    played::resets_help(false);
    EXPECT_EQ(kill(*engine).code, StatusCode::device_lost);
    engine.reset();
    EXPECT_EQ(make().code, StatusCode::no_device);
}

TEST_F(DeviceEngineTest, ADeviceWithoutCodeIsRefusedAtOnce) {
    engine.reset();
    played::has_code(false);
    EXPECT_EQ(make().code, StatusCode::no_device);
}

}  // namespace
}  // namespace fragmend::cuda
