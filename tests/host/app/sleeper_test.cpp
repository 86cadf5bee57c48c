// Sleeps that are too long for a timer.
#include "host/app/sleeper.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace fragmend::app {
namespace {

Awaitable<void> sleep_once(Sleeper& sleeper, std::chrono::duration<double> length, bool& woke) {
    co_await sleeper.sleep(length);
    woke = true;
}

TEST(Sleeper, SleepsForCenturiesUntilItIsWoken) {
    asio::io_context io;
    Sleeper sleeper(io.get_executor());
    TaskGroup sleepers(io.get_executor());
    bool woke = false;
    sleepers.spawn(sleep_once(sleeper, std::chrono::duration<double>(9999999999.0), woke));
    io.poll();
    EXPECT_FALSE(woke);
    sleeper.wake_all();
    io.run();
    EXPECT_TRUE(woke);
}

TEST(Sleeper, WakesByItself) {
    asio::io_context io;
    Sleeper sleeper(io.get_executor());
    TaskGroup sleepers(io.get_executor());
    bool woke = false;
    sleepers.spawn(sleep_once(sleeper, std::chrono::duration<double>(0.001), woke));
    io.run();
    EXPECT_TRUE(woke);
}

}  // namespace
}  // namespace fragmend::app
