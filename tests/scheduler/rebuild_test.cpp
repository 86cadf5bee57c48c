// One object from request to body: lengths, hold-back, every failure at every place, cancellation.
#include "scheduler/rebuild.hpp"

#include <gtest/gtest.h>

#include "fakes.hpp"
#include "scheduler/snapshot.hpp"

namespace fragmend::scheduler::testing {
namespace {

constexpr std::size_t piece = 200;

/// Rebuilds one object to its end.
Received rebuild_one(World& world, const RebuildRequest& request, RebuildOutcome* outcome = nullptr,
                     int turns = 0) {
    ObjectRebuild rebuild(world.ports(), world.limits, request, {});
    Received received;
    rebuild.start();
    world.tasks.spawn(receive(rebuild, received, turns));
    world.run_until_idle();
    EXPECT_EQ(world.tasks.running(), 0u) << "stuck";
    if (outcome != nullptr) *outcome = rebuild.outcome();
    return received;
}

FakeObject object_of(std::size_t piece_bytes = piece) {
    FakeObject object;
    object.piece_bytes = piece_bytes;
    return object;
}

void spoil(FakeObject& object, std::initializer_list<int> indexes, Fault fault) {
    for (int index : indexes)
        object.faults[static_cast<std::uint8_t>(index)] = fault;
}

TEST(ObjectRebuild, RebuildsEveryLength) {
    for (std::uint64_t length : {81u, 199u, 200u, 281u, 399u, 400u, 481u, 1000u, 1999u}) {
        for (std::size_t hold_back : {0u, 500u, 5000u}) {
            for (std::size_t sets : {1u, 2u, 3u}) {
                for (std::size_t slots : {1u, 4u}) {
                    World world;
                    world.limits.hold_back_bytes_max = hold_back;
                    world.limits.input_sets = sets;
                    world.limits.output_slots = slots;
                    const auto request = world.add("/a/c/o", object_of(), length, 4);
                    const auto received = rebuild_one(world, request, nullptr, 3);
                    EXPECT_TRUE(received.ended);
                    EXPECT_EQ(received.bytes, world.truth(request)) << length;
                    EXPECT_EQ(world.stats.objects_verified, 1u);
                    EXPECT_EQ(world.stats.survivor_bytes, 3 * length);
                }
            }
        }
    }
}

TEST(ObjectRebuild, ServesAnEmptyArchiveWithoutOpeningAnything) {
    World world;
    const auto request = world.add("/a/c/o", object_of(), 0);
    const auto received = rebuild_one(world, request);
    EXPECT_TRUE(received.ready);
    EXPECT_TRUE(received.ended);
    EXPECT_TRUE(received.bytes.empty());
    EXPECT_EQ(world.source.objects["/a/c/o"].opens, 0);
}

TEST(ObjectRebuild, RefusesArchivesTooShortForAHeader) {
    World world;
    const auto request = world.add("/a/c/o", object_of(), 80);
    const auto received = rebuild_one(world, request);
    ASSERT_TRUE(received.error);
    EXPECT_TRUE(*received.error == errc::bad_metadata);
}

TEST(ObjectRebuild, NeverReleasesTheLastPieceBeforeAllIsVerified) {
    for (std::size_t hold_back : {0u, 5000u}) {
        World world;
        world.limits.hold_back_bytes_max = hold_back;
        FakeObject object = object_of();
        object.faults[2] = {Fault::Kind::hangs, 999};  // The very last byte never comes.
        const auto request = world.add("/a/c/o", object, 1000);
        ObjectRebuild rebuild(world.ports(), world.limits, request, {});
        rebuild.start();
        Received received;
        world.tasks.spawn(receive(rebuild, received, 0));
        world.run_until_idle();
        EXPECT_EQ(received.bytes.size(), hold_back == 0 ? 800u : 0u);
        rebuild.cancel();
        world.run_until_idle();
        EXPECT_EQ(world.tasks.running(), 0u);
        ASSERT_TRUE(received.error);
        EXPECT_TRUE(*received.error == errc::cancelled);
    }
}

TEST(ObjectRebuild, ReadsTheNextRoundWhileOneIsDecodedAndOneIsSent) {
    asio::io_context workers;
    World world(1 << 20, {}, workers.get_executor());
    world.limits.hold_back_bytes_max = 0;
    const auto request = world.add("/a/c/o", object_of(), 1000);
    ObjectRebuild rebuild(world.ports(), world.limits, request, {});
    rebuild.start();
    world.run_until_idle();
    EXPECT_EQ(world.codec.runs, 0);
    EXPECT_EQ(world.stats.survivor_bytes, 3u * 400u);  // Round 0 is at the worker, round 1 is read.
    Received received;
    world.tasks.spawn(receive(rebuild, received, 0));
    workers.restart();
    workers.poll_one();
    world.run_until_idle();
    EXPECT_EQ(received.bytes.size(), 200u);
    EXPECT_EQ(world.stats.survivor_bytes, 3u * 600u);
    for (int i = 0; i < 10; ++i) {
        workers.restart();
        workers.poll();
        world.run_until_idle();
    }
    EXPECT_TRUE(received.ended);
    EXPECT_EQ(received.bytes, world.truth(request));
}

TEST(ObjectRebuild, VerifiesASmallObjectAheadAndKeepsOnlyItsOutput) {
    World world;
    const auto request = world.add("/a/c/o", object_of(5000), 20000);
    ObjectRebuild rebuild(world.ports(), world.limits, request, {});
    rebuild.start();
    world.run_until_idle();
    EXPECT_TRUE(rebuild.outcome().verified);
    EXPECT_EQ(world.source.streams_open, 0);
    EXPECT_EQ(world.buffers.claimed_bytes(), world.limits.object_bytes);
    EXPECT_EQ(world.buffers.leased_bytes() + world.buffers.claimed_bytes(),
              world.budget.in_use_bytes());
    EXPECT_LE(world.buffers.leased_bytes(), 24576u);
    Received received;
    world.tasks.spawn(receive(rebuild, received, 0));
    world.run_until_idle();
    EXPECT_EQ(received.bytes, world.truth(request));
}

TEST(ObjectRebuild, ReplacesASurvivorThatFailsAnywhereInAnyWay) {
    using Kind = Fault::Kind;
    constexpr std::uint64_t length = 900;
    for (Kind kind : {Kind::read_error, Kind::short_body, Kind::long_body, Kind::flipped_byte,
                      Kind::bad_header, Kind::wrong_size, Kind::no_md5}) {
        for (std::uint64_t at = 0; at < length; at += kind == Kind::bad_header ? piece : 49) {
            for (std::size_t hold_back : {0u, 5000u}) {
                World world;
                world.limits.hold_back_bytes_max = hold_back;
                FakeObject object = object_of();
                object.faults[2] = {kind, at};
                const auto request = world.add("/a/c/o", object, length);
                RebuildOutcome outcome;
                const auto received = rebuild_one(world, request, &outcome);
                const bool sent_wrong = hold_back == 0 && kind == Kind::flipped_byte &&
                                        at % piece >= fragment_header_bytes && at < 800;
                ASSERT_EQ(outcome.culprits.size(), 1u) << static_cast<int>(kind) << " at " << at;
                EXPECT_EQ(outcome.culprits[0].device_id, 102u);
                EXPECT_EQ(outcome.culprits[0].frag_index, 2);
                EXPECT_EQ(world.sink.count("frag#2 at 10.0.0.2:6200/sdb left out while rebuilding "
                                           "/a/c/o policy#1 frag#0"),
                          1u);
                if (sent_wrong) {
                    // The wrong piece went out before the MD5 could tell: the body must not be
                    // whole.
                    ASSERT_TRUE(received.error);
                    EXPECT_TRUE(*received.error == errc::wrong_bytes);
                    EXPECT_LT(received.bytes.size(), length);
                } else {
                    EXPECT_TRUE(received.ended) << static_cast<int>(kind) << " at " << at;
                    EXPECT_EQ(received.bytes, world.truth(request));
                    EXPECT_EQ(outcome.attempts, 2);
                }
            }
        }
    }
}

TEST(ObjectRebuild, LeavesTheDevicesOutThatItWasToldTo) {
    World world;
    const auto request = world.add("/a/c/o", object_of(), 500);
    ObjectRebuild rebuild(world.ports(), world.limits, request, {101, 102, 103});
    rebuild.start();
    Received received;
    world.tasks.spawn(receive(rebuild, received, 0));
    world.run_until_idle();
    ASSERT_TRUE(received.error);  // 4 and 5 alone cannot do it.
    EXPECT_TRUE(*received.error == errc::too_few_fragments);
    EXPECT_EQ(received.error->detail, "not enough");
}

TEST(ObjectRebuild, FailsWithTheSourcesErrorWhenReplacementsRunOut) {
    for (std::size_t hold_back : {0u, 5000u}) {
        World world;
        world.limits.hold_back_bytes_max = hold_back;
        FakeObject object = object_of();
        spoil(object, {1, 3, 4, 5}, {Fault::Kind::read_error, 700});
        const auto request = world.add("/a/c/o", object, 900);
        RebuildOutcome outcome;
        const auto received = rebuild_one(world, request, &outcome);
        ASSERT_TRUE(received.error);
        EXPECT_TRUE(*received.error == errc::too_few_fragments);
        EXPECT_LT(received.bytes.size(), 900u);
        EXPECT_FALSE(received.ended);
        EXPECT_GE(outcome.culprits.size(), 3u);
        EXPECT_EQ(world.stats.objects_failed, 1u);
    }
}

TEST(ObjectRebuild, StopsTryingAfterTheLimit) {
    World world;
    world.limits.attempts_max = 2;
    FakeObject object = object_of();
    spoil(object, {1, 4}, {Fault::Kind::read_error, 300});
    const auto request = world.add("/a/c/o", object, 900);
    const auto received = rebuild_one(world, request);
    ASSERT_TRUE(received.error);
    EXPECT_TRUE(*received.error == errc::limit);
    EXPECT_EQ(world.source.objects["/a/c/o"].opens, 2);
}

TEST(ObjectRebuild, GoesOnBehindAnEqualPrefixWithoutSendingItTwice) {
    World world;
    world.limits.hold_back_bytes_max = 0;
    FakeObject object = object_of();
    object.faults[1] = {Fault::Kind::read_error, 850};
    const auto request = world.add("/a/c/o", object, 900);
    const auto received = rebuild_one(world, request);
    EXPECT_TRUE(received.ended);
    EXPECT_EQ(received.bytes, world.truth(request));
    EXPECT_GT(world.stats.rounds_replayed, 0u);
}

TEST(ObjectRebuild, FailsWhenTheReplacementsGiveAnotherPrefix) {
    World world;
    world.limits.hold_back_bytes_max = 0;
    FakeObject object = object_of();
    object.faults[1] = {Fault::Kind::read_error, 850};
    object.flavour_of_retries = 1;
    const auto request = world.add("/a/c/o", object, 900);
    RebuildOutcome outcome;
    const auto received = rebuild_one(world, request, &outcome);
    ASSERT_TRUE(received.error);
    EXPECT_TRUE(*received.error == errc::wrong_bytes);
    EXPECT_LT(received.bytes.size(), 900u);
    ASSERT_EQ(outcome.culprits.size(), 1u);
}

TEST(ObjectRebuild, ComputesOnceMoreAfterAComputeFault) {
    for (int faults : {1, 2}) {
        for (int at = 1; at <= 5; ++at) {
            World world;
            world.limits.hold_back_bytes_max = 0;
            int item = 0;
            int left = faults;
            const auto request = world.add("/a/c/o", object_of(), 900);
            world.codec.sabotage = [&item, &left, at](SegmentWork& work) {
                if (++item < at || left == 0) return;
                --left;
                work.error = Error{errc::wrong_bytes, "cross-check"};
                work.outputs[0][90] ^= std::byte{4};
            };
            const auto received = rebuild_one(world, request);
            EXPECT_EQ(world.stats.compute_faults, static_cast<std::uint64_t>(faults));
            if (faults == 1) {
                EXPECT_TRUE(received.ended);
                EXPECT_EQ(received.bytes, world.truth(request));
            } else {
                ASSERT_TRUE(received.error);
                EXPECT_TRUE(*received.error == errc::wrong_bytes);
                EXPECT_LT(received.bytes.size(), 900u);
            }
        }
    }
}

TEST(ObjectRebuild, TakesDifferentMd5sOfAllSurvivorsForAComputeFault) {
    World world;
    FakeObject object = object_of();
    spoil(object, {1, 2, 3}, {Fault::Kind::flipped_byte, 500, 1});
    const auto request = world.add("/a/c/o", object, 900);
    RebuildOutcome outcome;
    const auto received = rebuild_one(world, request, &outcome);
    EXPECT_TRUE(received.ended);  // The second reading is good.
    EXPECT_EQ(received.bytes, world.truth(request));
    EXPECT_TRUE(outcome.culprits.empty());
    EXPECT_EQ(world.stats.compute_faults, 1u);
}

TEST(ObjectRebuild, NamesAllSurvivorsThatFailInTheSameRound) {
    World world;
    FakeObject object = object_of();
    spoil(object, {1, 2}, {Fault::Kind::flipped_byte, 500});
    const auto request = world.add("/a/c/o", object, 900);
    RebuildOutcome outcome;
    const auto received = rebuild_one(world, request, &outcome);
    EXPECT_TRUE(received.ended);
    EXPECT_EQ(received.bytes, world.truth(request));
    EXPECT_EQ(outcome.culprits.size(), 2u);
    EXPECT_EQ(outcome.attempts, 2);
}

TEST(ObjectRebuild, TakesThePieceLengthFromTheHeadersWhenThePolicyChanged) {
    for (std::size_t real : {100u, 150u, 200u, 250u, 399u, 900u}) {
        World world;
        auto request = world.add("/a/c/o", object_of(real), 900);
        if (!pieces_fit(900, real)) continue;
        request.fragment_bytes = 200;
        RebuildOutcome outcome;
        const auto received = rebuild_one(world, request, &outcome);
        EXPECT_TRUE(received.ended) << real;
        EXPECT_EQ(received.bytes, world.truth(request));
        EXPECT_TRUE(outcome.culprits.empty());
    }
}

TEST(ObjectRebuild, SaysHowLargePiecesAreThatItsShareCannotHold) {
    World world;
    auto request = world.add("/a/c/o", object_of(90000), 300000);
    request.fragment_bytes = 1000;
    world.limits.hold_back_bytes_max = 0;
    RebuildOutcome outcome;
    const auto received = rebuild_one(world, request, &outcome);
    ASSERT_TRUE(received.error);
    EXPECT_TRUE(*received.error == errc::limit);
    EXPECT_EQ(outcome.piece_bytes_needed, 90000u);
    request.fragment_bytes = 90000;
    EXPECT_TRUE(rebuild_one(world, request).ended);
}

TEST(ObjectRebuild, ShrinksToABudgetThatIsTooSmallForItsComfort) {
    World world(64 * 1024);
    const auto request = world.add("/a/c/o", object_of(10000), 100000);
    const auto received = rebuild_one(world, request);
    EXPECT_TRUE(received.ended);
    EXPECT_EQ(received.bytes, world.truth(request));
}

TEST(ObjectRebuild, RefusesWhatNeverFitsIntoTheBudget) {
    World world(32 * 1024);
    const auto request = world.add("/a/c/o", object_of(10000), 100000);
    const auto received = rebuild_one(world, request);
    ASSERT_TRUE(received.error);
    EXPECT_TRUE(*received.error == errc::limit);
    EXPECT_EQ(world.source.objects["/a/c/o"].opens, 0);
}

TEST(ObjectRebuild, OpensAgainWhenServersHungUpWhileTheSessionWasBusy) {
    for (bool busy : {false, true}) {
        World world;
        world.limits.hold_back_bytes_max = 0;
        world.limits.output_slots = 2;
        FakeObject object = object_of();
        spoil(object, {1, 2, 3}, {Fault::Kind::read_error, 850, 1});
        const auto request = world.add("/a/c/o", object, 1800);
        ObjectRebuild rebuild(world.ports(), world.limits, request, {});
        rebuild.start();
        world.run_until_idle();  // The window is full.
        if (busy) world.clock.time += std::chrono::seconds(61);
        Received received;
        world.tasks.spawn(receive(rebuild, received, 0));
        world.run_until_idle();
        EXPECT_EQ(received.ended, busy);
        EXPECT_EQ(rebuild.outcome().culprits.size(), busy ? 0u : 3u);
        if (busy) {
            EXPECT_EQ(received.bytes, world.truth(request));
        }
    }
}

TEST(ObjectRebuild, EndsCleanlyWhenCancelledAtAnyStep) {
    for (bool hangs : {false, true}) {
        for (std::size_t hold_back : {0u, 5000u}) {
            bool completed = false;
            for (int steps = 0; !completed && steps < 2000; ++steps) {
                World world;
                world.limits.hold_back_bytes_max = hold_back;
                world.source.turns_max = 2;
                FakeObject object = object_of();
                object.faults[1] = {Fault::Kind::flipped_byte, 700};
                if (hangs) object.faults[4] = {Fault::Kind::hangs, 500};
                const auto request = world.add("/a/c/o", object, 900);
                ObjectRebuild rebuild(world.ports(), world.limits, request, {});
                rebuild.start();
                Received received;
                world.tasks.spawn(receive(rebuild, received, 1));
                int step = 0;
                while (step < steps && world.step())
                    ++step;
                completed = step < steps;
                rebuild.cancel();
                world.run_until_idle();
                ASSERT_EQ(world.tasks.running(), 0u) << "stuck after " << steps << " steps";
                if (received.bytes.size() == 900) {
                    EXPECT_EQ(received.bytes, world.truth(request));
                }
            }
            EXPECT_TRUE(completed);
        }
    }
}

Awaitable<void> take_all(MemoryBudget& budget, MemoryBudget::Permit& permit) {
    auto taken = co_await budget.acquire(budget.capacity_bytes());
    permit = std::move(taken.value());
}

TEST(ObjectRebuild, StopsWhileItWaitsForMemory) {
    World world(64 * 1024);
    const auto request = world.add("/a/c/o", object_of(), 900);
    auto first = std::make_unique<ObjectRebuild>(world.ports(), world.limits, request,
                                                 std::vector<std::uint32_t>());
    MemoryBudget::Permit all;
    world.tasks.spawn(take_all(world.budget, all));
    world.run_until_idle();
    first->start();
    Received received;
    world.tasks.spawn(receive(*first, received, 0));
    world.run_until_idle();
    EXPECT_FALSE(received.error);
    // A wait that has not ended shows.
    world.clock.time += std::chrono::seconds(30);
    EXPECT_EQ(waits_of(world.stats, world.clock.time).memory, std::chrono::seconds(30));
    EXPECT_EQ(waits_of(world.stats, world.clock.time).starving, std::chrono::seconds(30));
    first->cancel();
    world.run_until_idle();
    ASSERT_TRUE(received.error);
    EXPECT_TRUE(*received.error == errc::cancelled);
    first.reset();
    all.release();
}

}  // namespace
}  // namespace fragmend::scheduler::testing
