// Several fragments of one object out of one reading: the first one for now, the others for later.
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "scheduler/read_ahead.hpp"

namespace fragmend::scheduler::testing {
namespace {

constexpr std::size_t piece = 200;

struct TwoOutputs : ::testing::Test {
    /// Fragments 0 and 4 of an object of ten pieces.
    static RebuildRequest request(World& of, FakeObject object = {}) {
        object.piece_bytes = piece;
        RebuildRequest made = of.add("/a/c/o", object, 10 * piece, 0);
        made.also_wanted = {4};
        return made;
    }
    static Bytes truth(const World& of, const RebuildRequest& made, std::size_t output) {
        RebuildRequest alone = made;
        alone.wanted = made.wanted_of(output);
        return of.truth(alone);
    }
    World world;
};

/// Takes `output` to its end and leaves it if there is a whole one; a piece takes `turns` turns.
Awaitable<void> take(ObjectRebuild& rebuild, std::size_t output, int turns, Received& received) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    while (!received.ended && !received.error) {
        const Result<ByteView> got = co_await rebuild.next(output);
        for (int turn = 0; turn < turns; ++turn)
            co_await asio::post(executor, asio::use_awaitable);
        if (got.has_error()) {
            received.error = got.error();
        } else if (got->empty()) {
            received.ended = true;
        } else {
            received.bytes.insert(received.bytes.end(), got->begin(), got->end());
        }
    }
    if (rebuild.outcome().verified) co_await rebuild.leave(output);
}

TEST_F(TwoOutputs, ComeOutOfOneReading) {
    for (const std::size_t hold_back : {0u, 5000u}) {
        World fresh;
        fresh.limits.hold_back_bytes_max = hold_back;
        const auto made = request(fresh);
        ObjectRebuild rebuild(fresh.ports(), fresh.limits, made, {});
        rebuild.start();
        Received first, second;
        fresh.tasks.spawn(take(rebuild, 0, 3, first));
        fresh.run_until_idle();
        EXPECT_TRUE(first.ended);
        EXPECT_EQ(first.bytes, truth(fresh, made, 0));
        EXPECT_GE(fresh.budget.in_use_bytes(), 10 * piece) << "the second one still pays";
        fresh.tasks.spawn(take(rebuild, 1, 1, second));
        fresh.run_until_idle();
        EXPECT_TRUE(second.ended);
        EXPECT_EQ(second.bytes, truth(fresh, made, 1));
        EXPECT_EQ(fresh.stats.survivor_bytes, 3u * 2000u);
        EXPECT_EQ(fresh.stats.rebuilt_bytes, 2u * 2000u);
        EXPECT_EQ(fresh.stats.objects_shared, 1u);
        EXPECT_EQ(fresh.budget.in_use_bytes(), 0u);
    }
}

TEST_F(TwoOutputs, TheSecondOneIsGivenUpWithoutAConsumer) {
    const auto made = request(world);
    ObjectRebuild rebuild(world.ports(), world.limits, made, {});
    rebuild.start();
    Received first;
    world.tasks.spawn(take(rebuild, 0, 0, first));
    world.run_until_idle();
    rebuild.give_up(1);
    EXPECT_EQ(world.budget.in_use_bytes(), 0u);
}

TEST_F(TwoOutputs, ACancelledConsumerIsToldSo) {
    const auto made = request(world);
    ObjectRebuild rebuild(world.ports(), world.limits, made, {});
    rebuild.start();
    Received first, second;
    world.tasks.spawn(take(rebuild, 0, 0, first));
    world.run_until_idle();
    world.tasks.spawn(take(rebuild, 1, 1000, second));
    world.step();
    rebuild.cancel(1);
    world.run_until_idle();
    ASSERT_TRUE(second.error);
    EXPECT_TRUE(*second.error == errc::cancelled);
    EXPECT_EQ(world.budget.in_use_bytes(), 0u);
}

TEST_F(TwoOutputs, ABadSurvivorIsReplacedForBoth) {
    for (const std::size_t hold_back : {0u, 5000u}) {
        World fresh;
        fresh.limits.hold_back_bytes_max = hold_back;
        FakeObject object;
        object.faults[2] = {Fault::Kind::flipped_byte, 1900};
        const auto made = request(fresh, object);
        ObjectRebuild rebuild(fresh.ports(), fresh.limits, made, {});
        rebuild.start();
        Received first, second;
        fresh.tasks.spawn(take(rebuild, 0, 4, first));
        fresh.run_until_idle();
        fresh.tasks.spawn(take(rebuild, 1, 0, second));
        fresh.run_until_idle();
        EXPECT_EQ(first.bytes, truth(fresh, made, 0));
        EXPECT_EQ(second.bytes, truth(fresh, made, 1));
        const auto culprits = rebuild.take_culprits();
        ASSERT_EQ(culprits.size(), 1u);
        EXPECT_EQ(culprits[0].frag_index, 2u);
        EXPECT_TRUE(rebuild.take_culprits().empty());
    }
}

TEST_F(TwoOutputs, NoSurvivorIsOneOfTheWanted) {
    auto made = request(world);
    made.also_wanted = {3};  // The fake source brings the first three others.
    ObjectRebuild rebuild(world.ports(), world.limits, made, {});
    rebuild.start();
    Received first, second;
    world.tasks.spawn(take(rebuild, 0, 0, first));
    world.run_until_idle();
    world.tasks.spawn(take(rebuild, 1, 0, second));
    world.run_until_idle();
    EXPECT_EQ(first.bytes, truth(world, made, 0));
    EXPECT_EQ(second.bytes, truth(world, made, 1));
}

TEST_F(TwoOutputs, TheSecondOnePaysForAWholeArchive) {
    const EcScheme scheme{"isa_l_rs_vand", 4, 2};
    const auto one = fit_shape(scheme, 2'000'000, 20'000, {}, 1 << 24);
    const auto two = fit_shape(scheme, 2'000'000, 20'000, {}, 1 << 24, 2);
    EXPECT_EQ(two->output_bytes(0), one->output_bytes());
    EXPECT_GE(two->output_bytes(1), 2'000'000u);
    EXPECT_EQ(two->charge_bytes() - one->charge_bytes(),
              BufferPool::capacity_for(two->output_bytes(1)));
}

TEST_F(TwoOutputs, OneGoesAloneWhenSurvivorsAreTooFewForBoth) {
    for (const bool late : {false, true}) {
        World fresh;
        fresh.limits.hold_back_bytes_max = late ? 0 : 5000;
        // Beside 0 and 4 only three are left, and one of them is bad at its end, or gone.
        FakeObject object;
        object.absent = {5};
        if (late) {
            object.faults[2] = {Fault::Kind::flipped_byte, 1900};
        } else {
            object.absent.insert(2);
        }
        const auto made = request(fresh, object);
        ObjectRebuild rebuild(fresh.ports(), fresh.limits, made, {});
        rebuild.start();
        Received first;
        fresh.tasks.spawn(take(rebuild, 0, 0, first));
        fresh.run_until_idle();
        EXPECT_TRUE(first.ended) << "4 is there, after all";
        EXPECT_EQ(first.bytes, truth(fresh, made, 0));
        EXPECT_EQ(rebuild.request().outputs(), 1u);
        EXPECT_EQ(fresh.budget.in_use_bytes(), 0u);
    }
}

TEST_F(TwoOutputs, OneThatGoesAlonePaysForItsSurvivorsWithWhatTheOtherHad) {
    // Room for the slabs of both, hardly any for what surrounds them.
    World tight(16 * 1024);
    tight.limits.hold_back_bytes_max = 0;
    FakeObject object;
    object.absent = {5};
    object.faults[2] = {Fault::Kind::flipped_byte, 1900};
    const auto made = request(tight, object);
    ObjectRebuild rebuild(tight.ports(), tight.limits, made, {});
    std::size_t outputs = 0;
    std::size_t claimed = 0;
    tight.source.on_open = [&] {
        outputs = rebuild.request().outputs();
        claimed = tight.buffers.claimed_bytes();
    };
    rebuild.start();
    Received first;
    tight.tasks.spawn(take(rebuild, 0, 0, first));
    tight.run_until_idle();
    EXPECT_TRUE(first.ended);
    EXPECT_EQ(outputs, 1u);
    EXPECT_EQ(claimed, 8 * 1024u) << "half of 16 KiB is slabs";
    EXPECT_EQ(tight.budget.in_use_bytes(), 0u);
}

TEST_F(TwoOutputs, OneGoesAloneWhenMemoryIsTooLittleForBoth) {
    World small(24 * 1024);
    FakeObject object;
    object.piece_bytes = 1000;
    RebuildRequest made = small.add("/a/c/o", object, 30'000, 0);
    made.also_wanted = {4};
    ObjectRebuild rebuild(small.ports(), small.limits, made, {});
    rebuild.start();
    Received first;
    small.tasks.spawn(take(rebuild, 0, 0, first));
    small.run_until_idle();
    EXPECT_EQ(first.bytes, truth(small, made, 0));
    EXPECT_EQ(rebuild.request().outputs(), 1u);
}

/// Serves what is in the queue to its end.
Awaitable<void> serve(ReadAhead& queue, std::vector<Bytes>& bodies, bool shares,
                      std::vector<std::shared_ptr<ObjectRebuild>>& shared) {
    while (!queue.empty()) {
        const Result<void> ready = co_await queue.ready();
        Bytes& body = bodies.emplace_back();
        bool goes_on = ready.has_value();
        while (goes_on) {
            const Result<ByteView> got = co_await queue.next();
            goes_on = got.has_value() && !got->empty();
            if (goes_on) body.insert(body.end(), got->begin(), got->end());
        }
        if (shares && queue.front().outcome().verified) shared.push_back(queue.share_front());
        co_await queue.pop();
    }
}

TEST_F(TwoOutputs, OneQueueServesTheFirstAndAnotherTheSecond) {
    const auto made = request(world);
    ReadAhead one(world.ports(), world.limits, 2);
    ReadAhead other(world.ports(), world.limits, 2);
    one.push(made, {});
    std::vector<Bytes> first, second;
    std::vector<std::shared_ptr<ObjectRebuild>> shared;
    world.tasks.spawn(serve(one, first, true, shared));
    world.run_until_idle();
    ASSERT_EQ(shared.size(), 1u);
    other.push(std::move(shared.front()), 1);
    world.tasks.spawn(serve(other, second, false, shared));
    world.run_until_idle();
    EXPECT_EQ(first, std::vector<Bytes>{truth(world, made, 0)});
    EXPECT_EQ(second, std::vector<Bytes>{truth(world, made, 1)});
    EXPECT_EQ(world.budget.in_use_bytes(), 0u);
}

TEST_F(TwoOutputs, AQueueThatIsNotToShareEndsAllOutputs) {
    const auto made = request(world);
    ReadAhead one(world.ports(), world.limits, 2);
    one.push(made, {});
    std::vector<Bytes> first;
    std::vector<std::shared_ptr<ObjectRebuild>> shared;
    world.tasks.spawn(serve(one, first, false, shared));
    world.run_until_idle();
    EXPECT_EQ(first, std::vector<Bytes>{truth(world, made, 0)});
    EXPECT_EQ(world.budget.in_use_bytes(), 0u);
}

}  // namespace
}  // namespace fragmend::scheduler::testing
