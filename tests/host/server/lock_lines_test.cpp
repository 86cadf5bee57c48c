// Turns at locks: first come, first served, and nobody waits beyond his time.
#include "host/server/lock_lines.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <string>

namespace fragmend::server {
namespace {

using std::chrono::steady_clock;

struct LockLinesTest : ::testing::Test {
    asio::io_context io;
    TaskGroup sessions{io.get_executor()};
    LockLines lines{io.get_executor()};
    std::string story;
    std::deque<LockLines::Turn> held;

    Awaitable<void> want(char name, unsigned turns_max, steady_clock::time_point give_up) {
        auto turn = co_await lines.take("/sda/.lock", turns_max, give_up);
        if (turn) held.push_back(std::move(*turn));
        story += turn ? std::string{name} : std::string{'-', name};
    }
    void arrive(std::string_view names, unsigned turns_max = 1,
                steady_clock::time_point give_up = steady_clock::time_point::max()) {
        for (const char name : names)
            sessions.spawn(want(name, turns_max, give_up));
        settle();
    }
    void settle() {
        io.restart();
        io.poll();
    }
    void leave() {
        held.pop_front();
        settle();
    }
};

TEST_F(LockLinesTest, ServesWhoeverCameFirst) {
    arrive("abc");
    EXPECT_EQ(story, "a");
    leave();
    arrive("d");
    EXPECT_EQ(story, "ab");
    leave();
    leave();
    EXPECT_EQ(story, "abcd");
    leave();
    EXPECT_EQ(lines.size(), 0u);
}

TEST_F(LockLinesTest, HasAsManyTurnsAsHolders) {
    arrive("abcde", 3);
    EXPECT_EQ(story, "abc");
    leave();
    EXPECT_EQ(story, "abcd");
    for (int i = 0; i < 4; ++i)
        leave();
    EXPECT_EQ(story, "abcde");
    EXPECT_EQ(lines.size(), 0u);
}

TEST_F(LockLinesTest, WhoeverIsLateLeavesTheLine) {
    arrive("a");
    arrive("b", 1, steady_clock::now());
    while (story == "a")
        settle();
    EXPECT_EQ(story, "a-b");
    arrive("c");
    leave();
    EXPECT_EQ(story, "a-bc");
    leave();
    EXPECT_EQ(lines.size(), 0u);
}

TEST_F(LockLinesTest, ALateOneWhoseTurnHasJustComeTakesIt) {
    arrive("a");
    const auto soon = steady_clock::now() + std::chrono::milliseconds(1);
    arrive("b", 1, soon);
    while (steady_clock::now() < soon) {
    }
    leave();
    EXPECT_TRUE(story == "ab" || story == "a-b") << story;
    held.clear();
    settle();
    EXPECT_EQ(lines.size(), 0u);
}

}  // namespace
}  // namespace fragmend::server
