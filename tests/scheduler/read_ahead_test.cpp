// A session's queue: order, isolation, larger pieces, stopping.
#include "scheduler/read_ahead.hpp"

#include <gtest/gtest.h>

#include "fakes.hpp"
#include "tests/support/run_coroutine.hpp"

namespace fragmend::scheduler::testing {
namespace {

struct Served {
    std::string path;
    Bytes bytes;
    std::optional<Error> error;
};

/// Serves all requests in order, `ahead` at a time.
Awaitable<void> serve_all(ReadAhead& objects, std::vector<RebuildRequest> requests,
                          std::vector<Served>& served) {
    std::size_t pushed = 0;
    while (pushed < requests.size() || !objects.empty()) {
        while (pushed < requests.size() && objects.has_room()) {
            objects.push(requests[pushed++], {});
        }
        const Result<void> ready = co_await objects.ready();
        ObjectRebuild& front = objects.front();
        Served& one = served.emplace_back();
        one.path = front.request().object_path;
        if (ready.has_error()) one.error = ready.error();
        while (!one.error) {
            const Result<ByteView> piece = co_await front.next();
            if (piece.has_error()) {
                one.error = piece.error();
            } else if (piece.value().empty()) {
                break;
            } else {
                one.bytes.insert(one.bytes.end(), piece.value().begin(), piece.value().end());
            }
        }
        co_await objects.pop();
    }
}

FakeObject object_of(std::size_t piece_bytes) {
    FakeObject object;
    object.piece_bytes = piece_bytes;
    return object;
}

TEST(ReadAhead, ServesInOrderAndAFailureDisturbsNobody) {
    World world;
    std::vector<RebuildRequest> requests;
    for (int i = 0; i < 9; ++i) {
        FakeObject object = object_of(200);
        object.seed = static_cast<std::uint64_t>(i);
        if (i % 3 == 1) object.absent = {1, 2, 3};
        requests.push_back(world.add("/a/c/" + std::to_string(i), object, 900));
    }
    ReadAhead objects(world.ports(), world.limits, 4);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, requests, served));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 9u);
    for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_EQ(served[i].path, requests[i].object_path);
        EXPECT_EQ(served[i].error.has_value(), i % 3 == 1);
        if (!served[i].error) {
            EXPECT_EQ(served[i].bytes, world.truth(requests[i]));
        }
    }
}

TEST(ReadAhead, RunsNoMoreThanItsCountAndNoMoreThanTheBudget) {
    for (std::size_t kib : {64u, 1024u}) {
        World world(kib * 1024);
        world.limits.object_bytes = world.limits.survivor_bytes = 0;
        world.limits.receive_whole_bytes_max = 0;
        std::vector<RebuildRequest> requests;
        for (int i = 0; i < 6; ++i) {
            requests.push_back(world.add("/a/c/" + std::to_string(i), object_of(10000), 10000));
        }
        ReadAhead objects(world.ports(), world.limits, 4);
        while (objects.has_room()) {
            objects.push(requests.back(), {});
            requests.pop_back();
        }
        world.run_until_idle();
        // 32 KiB of inputs and 12 of output each: one at a time fits into 64 KiB; once verified it
        // keeps its 12 and lets the next one in, then 40 are left.
        EXPECT_EQ(world.stats.attempts, kib == 64 ? 2u : 4u);
        EXPECT_EQ(world.stats.objects_verified, kib == 64 ? 2u : 4u);
        world.tasks.spawn(objects.stop());
        world.run_until_idle();
    }
}

TEST(ReadAhead, StartsOverWhenTheFrontHasLargerPieces) {
    World world(400 * 1024);
    world.limits.hold_back_bytes_max = 0;
    world.source.turns_max = 4;
    std::vector<RebuildRequest> requests;
    for (int i = 0; i < 6; ++i) {
        auto request = world.add("/a/c/" + std::to_string(i), object_of(40000), 150000);
        if (i % 2 == 1) request.fragment_bytes = 1000;  // The operator made segments smaller since.
        requests.push_back(request);
    }
    ReadAhead objects(world.ports(), world.limits, 3);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, requests, served));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 6u);
    EXPECT_GE(world.source.objects["/a/c/1"].opens, 2);
    EXPECT_GE(world.source.objects["/a/c/2"].opens, 2) << "it stood behind and had to let go";
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_FALSE(served[i].error) << to_string(*served[i].error);
        EXPECT_EQ(served[i].bytes, world.truth(requests[i]));
    }
}

/// Objects whose pieces are far larger than their requests guess.
std::vector<RebuildRequest> guessed_too_small(World& world, int count) {
    std::vector<RebuildRequest> requests;
    for (int i = 0; i < count; ++i) {
        requests.push_back(world.add("/a/c/" + std::to_string(i), object_of(40000), 150000));
        requests.back().object_hash = std::to_string(i);
        requests.back().fragment_bytes = 1000;
    }
    return requests;
}

TEST(ReadAhead, StartsOverOnceForManyThatWereCutAlike) {
    World world(1 << 20);
    world.limits.hold_back_bytes_max = 0;
    const auto requests = guessed_too_small(world, 30);
    ReadAhead objects(world.ports(), world.limits, 4);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, requests, served));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 30u);
    EXPECT_FALSE(served[29].error);
    // Those that were in line when the first one found out, each of them for itself.
    EXPECT_LE(world.stats.attempts, 42u);
}

TEST(ReadAhead, OneThatIsGivenUpIsNotStartedOver) {
    World world(400 * 1024);
    world.limits.hold_back_bytes_max = 0;
    const auto requests = guessed_too_small(world, 3);
    ReadAhead objects(world.ports(), world.limits, 3);
    for (const auto& request : requests)
        objects.push(request, {});
    objects.cancel(requests[1].object_hash);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, {}, served));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 3u);
    EXPECT_EQ(served[0].bytes, world.truth(requests[0]));
    EXPECT_EQ(served[1].error.value(), errc::cancelled);
    EXPECT_EQ(served[2].bytes, world.truth(requests[2]));
    EXPECT_EQ(world.source.objects["/a/c/1"].opens, 0);
}

TEST(ReadAhead, PiecesThatNeverFitAreNobodyElsesGuess) {
    World world(100 * 1024);
    world.limits.hold_back_bytes_max = 0;
    std::vector<RebuildRequest> requests;
    for (int i = 0; i < 4; ++i) {
        requests.push_back(
            world.add("/a/c/" + std::to_string(i), object_of(i == 0 ? 90000 : 2000), 150000));
        requests.back().fragment_bytes = 1000;
    }
    ReadAhead objects(world.ports(), world.limits, 2);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, requests, served));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 4u);
    EXPECT_EQ(served[0].error.value(), errc::limit);
    for (std::size_t i = 1; i < 4; ++i)
        EXPECT_EQ(served[i].bytes, world.truth(requests[i])) << i;
}

/// Gives the objects up when somebody waits for the first one, then gives the memory back.
Awaitable<void> give_up_in_line(World& world, ReadAhead& objects, const std::string& hash,
                                MemoryBudget::Permit& all) {
    while (!world.budget.has_waiters())
        co_await asio::post(world.io, asio::use_awaitable);
    objects.cancel(hash);
    for (int i = 0; i < 100; ++i)
        co_await asio::post(world.io, asio::use_awaitable);
    EXPECT_EQ(world.stats.objects_cancelled, 1u);
    all.release();
}

TEST(ReadAhead, OneThatIsGivenUpWaitsForNothing) {
    World world(400 * 1024);
    std::vector<RebuildRequest> requests;
    for (int i = 0; i < 3; ++i) {
        requests.push_back(world.add("/a/c/" + std::to_string(i), object_of(200), 900));
        requests.back().object_hash = std::string(32, static_cast<char>('a' + i));
    }
    auto all = test::run_coroutine(world.io, world.budget.acquire(400 * 1024)).value();
    ReadAhead objects(world.ports(), world.limits, 3);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, requests, served));
    world.tasks.spawn(give_up_in_line(world, objects, requests[1].object_hash, all));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 3u);
    EXPECT_FALSE(served[0].error);
    EXPECT_EQ(served[1].error.value(), errc::cancelled);
    EXPECT_EQ(served[2].bytes, world.truth(requests[2]));
}

TEST(ReadAhead, TakesOneMoreAtAnyStepAtWhichItHasRoom) {
    bool completed = false;
    int refused = 0;
    for (int steps = 1; !completed && steps < 3000; steps += 3) {
        World world(400 * 1024);
        world.limits.hold_back_bytes_max = 0;
        world.source.turns_max = 4;
        std::vector<RebuildRequest> requests;
        for (int i = 0; i < 3; ++i)
            requests.push_back(world.add("/a/c/" + std::to_string(i), object_of(40000), 150000));
        requests[0].fragment_bytes = 1000;  // It will start over.
        ReadAhead objects(world.ports(), world.limits, 3);
        std::vector<Served> served;
        world.tasks.spawn(serve_all(objects, {requests[0], requests[1]}, served));
        int step = 0;
        while (step < steps && world.step())
            ++step;
        completed = step < steps;
        const bool taken = !objects.empty() && objects.has_room();
        if (taken) objects.push(requests[2], {});
        if (!taken && !objects.empty()) ++refused;
        world.run_until_idle();
        ASSERT_EQ(served.size(), taken ? 3u : 2u) << "after " << steps << " steps";
        for (std::size_t i = 0; i < served.size(); ++i)
            EXPECT_EQ(served[i].bytes, world.truth(requests[i])) << "after " << steps << " steps";
    }
    EXPECT_TRUE(completed);
    EXPECT_GT(refused, 0) << "nobody may join what starts over";
}

TEST(ReadAhead, TellsWhatNeverFitsInsteadOfStartingOverForEver) {
    World world(100 * 1024);
    auto request = world.add("/a/c/o", object_of(90000), 300000);
    request.fragment_bytes = 1000;
    ReadAhead objects(world.ports(), world.limits, 2);
    std::vector<Served> served;
    world.tasks.spawn(serve_all(objects, {request}, served));
    world.run_until_idle();
    ASSERT_EQ(served.size(), 1u);
    ASSERT_TRUE(served[0].error);
    EXPECT_TRUE(*served[0].error == errc::limit);
}

TEST(ReadAhead, StopsAtAnyStep) {
    bool completed = false;
    for (int steps = 0; !completed && steps < 3000; ++steps) {
        World world(128 * 1024);
        world.source.turns_max = 1;
        std::vector<RebuildRequest> requests;
        for (int i = 0; i < 4; ++i) {
            auto request = world.add("/a/c/" + std::to_string(i), object_of(10000), 30000);
            if (i == 1) request.fragment_bytes = 500;
            requests.push_back(request);
        }
        ReadAhead objects(world.ports(), world.limits, 3);
        std::vector<Served> served;
        world.tasks.spawn(serve_all(objects, requests, served));
        int step = 0;
        while (step < steps && world.step())
            ++step;
        completed = step < steps;
        objects.cancel();
        world.run_until_idle();
        ASSERT_EQ(world.tasks.running(), 0u) << "stuck after " << steps << " steps";
        for (const Served& one : served)
            EXPECT_TRUE(one.error || one.bytes.size() == 30000);
    }
    EXPECT_TRUE(completed);
}

}  // namespace
}  // namespace fragmend::scheduler::testing
