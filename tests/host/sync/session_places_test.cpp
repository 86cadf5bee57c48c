// Sessions towards one node, and from one disk, at a time.
#include "host/sync/session_places.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/host/sync/session_fixture.hpp"

namespace fragmend::sync {
namespace {

struct SessionPlacesTest : testing::SessionFixture {
    Awaitable<void> take(std::string node, std::string disk, std::optional<SessionPlaces>& places) {
        auto taken = co_await take_session_places(shared, std::move(node), std::move(disk),
                                                  cancels.at(asked++));
        if (taken.has_value()) places = std::move(taken.value());
    }
    void run() {
        io.restart();
        io.poll();
    }

    TargetSlots bounded{io.get_executor(), 1, 2, 2};
    Semaphore enough{io.get_executor(), 3};
    Services shared = services_with(budget, bounded, enough);
    TaskGroup tasks{io.get_executor()};
    std::array<Semaphore::Cancel, 4> cancels;  ///< In the order of asking.
    std::size_t asked = 0;
    std::optional<SessionPlaces> one, two, three, four;
};

TEST_F(SessionPlacesTest, OneNodeTakesSoManyAndNoMore) {
    tasks.spawn(take("10.0.0.1", "d1", one));
    tasks.spawn(take("10.0.0.1", "d2", two));
    tasks.spawn(take("10.0.0.1", "d3", three));
    tasks.spawn(take("10.0.0.2", "d3", four));
    run();
    EXPECT_TRUE(one && two && four);
    EXPECT_FALSE(three) << "and holds up nobody who goes elsewhere";
    one.reset();
    run();
    EXPECT_TRUE(three);
}

TEST_F(SessionPlacesTest, OneDiskServesSoManyAndNoMore) {
    tasks.spawn(take("10.0.0.1", "d1", one));
    tasks.spawn(take("10.0.0.2", "d1", two));
    tasks.spawn(take("10.0.0.3", "d1", three));
    run();
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(three);
    two.reset();
    run();
    EXPECT_TRUE(three);
}

TEST_F(SessionPlacesTest, WhoIsCancelledLeavesTheLineAtOnceAndKeepsNothing) {
    tasks.spawn(take("10.0.0.1", "d1", one));
    tasks.spawn(take("10.0.0.2", "d1", two));
    tasks.spawn(take("10.0.0.3", "d1", three));
    tasks.spawn(take("10.0.0.3", "d1", four));
    run();
    EXPECT_EQ(tasks.running(), 2u);
    EXPECT_EQ(bounded.of_node("10.0.0.3").in_use(), 2u);
    cancels[2].now();
    run();
    EXPECT_EQ(tasks.running(), 1u);
    EXPECT_FALSE(three);
    EXPECT_EQ(bounded.of_node("10.0.0.3").in_use(), 1u);
    one.reset();
    run();
    EXPECT_TRUE(four) << "who stood behind";
}

TEST_F(SessionPlacesTest, AllTogetherAreBoundedToo) {
    std::optional<SessionPlaces>* const all[] = {&one, &two, &three, &four};
    for (int i = 0; i < 4; ++i)
        tasks.spawn(take("10.0.0." + std::to_string(i), "d" + std::to_string(i), *all[i]));
    run();
    EXPECT_TRUE(one && two && three);
    EXPECT_FALSE(four);
    three.reset();
    run();
    EXPECT_TRUE(four);
}

}  // namespace
}  // namespace fragmend::sync
