// What is kept for a later session, and who makes it go.
#include "host/sync/stash.hpp"

#include <gtest/gtest.h>

#include "tests/host/sync/session_fixture.hpp"

namespace fragmend::sync {
namespace {

using scheduler::ObjectRebuild;

struct StashTest : testing::SessionFixture {
    static constexpr std::size_t bytes_max = 1 << 20;

    /// A verified rebuild with an output beside the one that has left: of an archive without bytes,
    /// which needs no survivors and no memory.
    std::shared_ptr<ObjectRebuild> verified(const std::string& hash, std::int64_t time = 5) {
        scheduler::RebuildRequest request;
        request.scheme = scheme();
        request.object_hash = hash;
        request.data_timestamp.raw = time;
        request.also_wanted = {1};
        scheduler::RebuildPorts ports{services_.network, source,
                                      services_.codec,   services_.dispatcher,
                                      services_.budget,  services_.buffers,
                                      services_.clock,   services_.rebuild_stats,
                                      services_.log};
        auto rebuild = std::make_shared<ObjectRebuild>(
            ports, scheduler::RebuildLimits(), std::move(request), std::vector<std::uint32_t>());
        rebuild->start();
        run();
        tasks.spawn(rebuild->leave(0));
        run();
        return rebuild;
    }
    static scheduler::RebuildRequest wanted(std::int64_t time) {
        scheduler::RebuildRequest request;
        request.data_timestamp.raw = time;
        return request;
    }
    void run() {
        io.restart();
        io.run();
    }
    void keep(const std::string& hash, std::size_t bytes = 1000) {
        auto room = stash.promise(bytes);
        ASSERT_TRUE(room);
        stash.keep(key(hash), std::move(*room), verified(hash), 1);
    }
    Stash::Key key(const std::string& hash, const void* job = nullptr) const {
        return {job == nullptr ? this : job, hash, 1};
    }
    Awaitable<void> hold(std::size_t bytes, std::optional<Semaphore::Permit>& permit) {
        auto got = co_await budget.acquire(bytes);
        if (got.has_value()) permit = std::move(got.value());
    }

    Services services_ = services();
    Holes holes;
    SurvivorSource source{
        services_, policy, "7", swift::test::make_node(0), swift::test::make_node(1), holes};
    TaskGroup tasks{io.get_executor()};
    Stash stash{budget, bytes_max};
};

TEST_F(StashTest, GivesBackWhatWasKeptOnce) {
    keep("a");
    EXPECT_TRUE(stash.has(key("a")));
    EXPECT_EQ(stash.bytes(), 1000u);
    {
        const auto part = stash.take(key("a"), wanted(5));
        ASSERT_TRUE(part);
        EXPECT_EQ(part->output, 1u);
        EXPECT_EQ(stash.bytes(), 1000u) << "until the session is done with it";
        EXPECT_FALSE(stash.take(key("a"), wanted(5)));
        part->rebuild->give_up(part->output);
    }
    EXPECT_EQ(stash.bytes(), 0u);
}

TEST_F(StashTest, AnotherVersionIsNotTaken) {
    keep("a");
    EXPECT_FALSE(stash.take(key("a"), wanted(6)));
    EXPECT_FALSE(stash.has(key("a")));
    EXPECT_EQ(stash.bytes(), 0u);
}

TEST_F(StashTest, PromisesNoMoreThanItHas) {
    auto most = stash.promise(bytes_max);
    ASSERT_TRUE(most);
    EXPECT_FALSE(stash.promise(1));
    most.reset();
    EXPECT_TRUE(stash.promise(1));
    EXPECT_FALSE(stash.promise(std::uint64_t{bytes_max} + 1));
}

TEST_F(StashTest, WhatAJobLeftGoesWithIt) {
    const int other = 0;
    keep("a");
    auto room = stash.promise(1);
    stash.keep(key("b", &other), std::move(*room), verified("b"), 1);
    stash.forget(this);
    EXPECT_FALSE(stash.has(key("a")));
    EXPECT_TRUE(stash.has(key("b", &other)));
}

TEST_F(StashTest, TheOldestGoesWhenMemoryIsShort) {
    keep("a");
    keep("b");
    std::optional<Semaphore::Permit> all, more;
    tasks.spawn(hold(budget.capacity_bytes(), all));
    run();
    ASSERT_TRUE(all);
    EXPECT_TRUE(stash.has(key("a"))) << "nothing was short";
    tasks.spawn(hold(1, more));
    io.restart();
    io.poll();
    EXPECT_FALSE(stash.has(key("a")) || stash.has(key("b")));
    // While somebody waits nothing is promised, and nothing is kept.
    EXPECT_FALSE(stash.promise(1));
    all.reset();
    run();
    EXPECT_TRUE(more);
    EXPECT_TRUE(stash.promise(1));
}

}  // namespace
}  // namespace fragmend::sync
