// The throttle with coroutines that wait on it, on virtual time.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "scheduler/throttle.hpp"
#include "tests/sim/virtual_time.hpp"

namespace fragmend::scheduler {
namespace {

using sim::VirtualTime;
using std::chrono::milliseconds;
using std::chrono::seconds;

class VirtualClock final : public Clock {
  public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override { return VirtualTime::now(); }
};

struct ThrottleTest : ::testing::Test {
    VirtualTime time;
    asio::io_context io{1};
    VirtualClock clock;
    RebuildStats stats;
    Throttle throttle{io.get_executor(), clock, stats, {}};
    TaskGroup tasks{io.get_executor()};
    bool stop = false;
    std::uint64_t moved = 0;
    std::vector<std::string> order;

    /// Lets `length` pass, timer by timer.
    void pass(sim::Duration length) {
        const auto end = VirtualTime::now() + length;
        for (;;) {
            io.restart();
            io.poll();
            if (time.timer_due() > end) break;
            time.set(std::max(time.timer_due(), VirtualTime::now()));
        }
        time.set(end);
        io.restart();
        io.poll();
    }

    /// Moves pieces for as long as it is let.
    Awaitable<void> reader(std::string device, std::size_t piece_bytes) {
        for (;;) {
            Endpoint from{device.substr(0, device.find('/')), device};
            const auto passed = co_await throttle.read(std::move(from), piece_bytes, stop);
            if (passed.has_error()) co_return;
            moved += piece_bytes;
            order.push_back(device);
        }
    }
    void end() {
        stop = true;
        throttle.wake();
        io.restart();
        io.poll();
        EXPECT_EQ(tasks.running(), 0u);
    }
};

TEST_F(ThrottleTest, HoldsTheTotalWhateverTheNumberOfReaders) {
    throttle.change({{1'000'000, 0, 0}, {}, Profile::urgent});
    for (int i = 0; i < 20; ++i)
        tasks.spawn(reader("10.0.0." + std::to_string(i) + ":6200/sda", 10'000));
    pass(seconds(10));
    EXPECT_NEAR(static_cast<double>(moved), 10e6, 0.3e6);
    EXPECT_GT(stats.wait_for_throttle.until(VirtualTime::now()), seconds(100));
    end();
}

TEST_F(ThrottleTest, HoldsEachNodeAndEachDevice) {
    throttle.change({{0, 1'000'000, 400'000}, {}, Profile::urgent});
    for (const char* device : {"a/1", "a/2", "a/3", "b/1"})
        tasks.spawn(reader(device, 10'000));
    pass(seconds(10));
    std::map<std::string, double> bytes;
    for (const std::string& device : order)
        bytes[device] += 10'000;
    EXPECT_NEAR(bytes["b/1"], 4e6, 0.2e6);
    EXPECT_NEAR(bytes["a/1"] + bytes["a/2"] + bytes["a/3"], 10e6, 0.3e6);
    EXPECT_LT(bytes["a/1"], 4.2e6);
    end();
}

TEST_F(ThrottleTest, AChangeHoldsWithinTwoSecondsUpAndDown) {
    throttle.change({{100'000, 0, 0}, {}, Profile::urgent});
    for (int i = 0; i < 8; ++i)
        tasks.spawn(reader("a/" + std::to_string(i), 50'000));
    pass(seconds(20));
    EXPECT_NEAR(static_cast<double>(moved), 2e6, 0.2e6);
    throttle.change({{10'000'000, 0, 0}, {}, Profile::urgent});
    pass(seconds(2));
    moved = 0;
    pass(seconds(1));
    EXPECT_NEAR(static_cast<double>(moved), 10e6, 1e6);
    throttle.change({{100'000, 0, 0}, {}, Profile::urgent});
    pass(seconds(2));
    moved = 0;
    pass(seconds(10));
    EXPECT_NEAR(static_cast<double>(moved), 1e6, 0.1e6);
    end();
}

TEST_F(ThrottleTest, ServesInTheOrderOfAsking) {
    throttle.change({{100'000, 0, 0}, {}, Profile::urgent});
    for (const char* device : {"a/1", "a/2", "a/3"})
        tasks.spawn(reader(device, 50'000));
    pass(seconds(6));
    ASSERT_GE(order.size(), 10u);
    for (std::size_t i = 4; i < order.size(); ++i)
        EXPECT_EQ(order[i], order[i - 3]);
    end();
}

Awaitable<void> read_once(Throttle& throttle, const bool& stop, std::optional<Error>& error) {
    Endpoint from{"a", "a/1"};
    const auto passed = co_await throttle.read(std::move(from), 1, stop);
    if (passed.has_error()) error = passed.error();
}

TEST_F(ThrottleTest, AHurriedWaitEndsAtOnce) {
    throttle.change({{1000, 0, 0}, {}, Profile::urgent});
    std::optional<Error> second;
    tasks.spawn(reader("a/1", 1'000'000));
    asio::cancellation_signal hurry;
    tasks.spawn(read_once(throttle, stop, second), hurry.slot());
    pass(seconds(1));
    EXPECT_EQ(tasks.running(), 2u);
    hurry.emit(asio::cancellation_type::terminal);
    io.restart();
    io.poll();
    EXPECT_EQ(tasks.running(), 1u);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->code, errc::cancelled);
    end();
}

TEST_F(ThrottleTest, WhoGivesUpItsPlaceLeavesItsTimeToTheOthers) {
    throttle.change({{1000, 0, 0}, {}, Profile::urgent});
    std::optional<Error> last;
    asio::cancellation_signal hurry;
    tasks.spawn(reader("a/1", 10'000), hurry.slot());
    pass(milliseconds(1));
    tasks.spawn(read_once(throttle, stop, last));
    pass(seconds(1));
    EXPECT_EQ(tasks.running(), 2u);
    // The one that goes has 10,000 bytes in line before the other one.
    hurry.emit(asio::cancellation_type::terminal);
    pass(seconds(10));
    EXPECT_EQ(tasks.running(), 0u);
    EXPECT_FALSE(last);
}

Awaitable<void> read_piece(Throttle& throttle, const bool& stop, std::size_t bytes,
                           std::uint64_t& moved) {
    Endpoint from{"a", "a/1"};
    const auto passed = co_await throttle.read(std::move(from), bytes, stop);
    if (passed.has_value()) moved += bytes;
}

TEST_F(ThrottleTest, WhoWaitsForANodeTakesNothingOfTheTotalYet) {
    throttle.change({{1'000'000, 100'000, 0}, {}, Profile::urgent});
    std::uint64_t slow = 0;
    for (int i = 0; i < 20; ++i)
        tasks.spawn(read_piece(throttle, stop, 50'000, slow));
    for (int i = 0; i < 15; ++i)
        tasks.spawn(reader("b" + std::to_string(i) + "/1", 10'000));
    pass(seconds(2));
    const auto before = moved + slow;
    pass(seconds(7));
    EXPECT_NEAR(static_cast<double>(moved + slow - before), 7e6, 0.15e6);
    // Whoever asked first has his turn as soon as his node's limit allows it.
    EXPECT_GE(slow, 900'000u);
    pass(seconds(1));
    EXPECT_EQ(slow, 1'000'000u);
    end();
}

TEST_F(ThrottleTest, WhoWaitsForTheTotalTakesNothingOfHisNodeYet) {
    throttle.change({{100'000, 200'000, 0}, {}, Profile::urgent});
    std::uint64_t slow = 0;
    tasks.spawn(reader("b/1", 1'000'000));
    for (int i = 0; i < 30; ++i)
        tasks.spawn(read_piece(throttle, stop, 50'000, slow));
    pass(seconds(10));
    EXPECT_EQ(slow, 0u);
    throttle.change({{1'000'000'000, 200'000, 0}, {}, Profile::urgent});
    pass(seconds(3));
    EXPECT_LE(slow, 3 * 200'000u + 50'000u + 20'000u);
    EXPECT_GE(slow, 3 * 200'000u - 50'000u);
    end();
}

TEST_F(ThrottleTest, WhoLeavesTheLineWakesTheNext) {
    throttle.change({{1000, 0, 0}, {}, Profile::urgent});
    asio::cancellation_signal hurry;
    std::uint64_t first = 0, second = 0, third = 0;
    tasks.spawn(read_piece(throttle, stop, 5000, first));
    tasks.spawn(read_piece(throttle, stop, 1, second), hurry.slot());
    tasks.spawn(read_piece(throttle, stop, 1, third));
    pass(seconds(1));
    EXPECT_EQ(first, 5000u);
    hurry.emit(asio::cancellation_type::terminal);
    pass(milliseconds(3990));
    EXPECT_EQ(third, 0u);
    pass(milliseconds(20));
    EXPECT_EQ(second, 0u);
    EXPECT_EQ(third, 1u);
    EXPECT_EQ(tasks.running(), 0u);
}

Awaitable<void> read_after(Throttle& throttle, Signal& signal, const bool& stop,
                           std::optional<Error>& error) {
    co_await signal.wait();
    co_await read_once(throttle, stop, error);
}

TEST_F(ThrottleTest, WhoWasHurriedBeforeDoesNotWaitHere) {
    throttle.change({{1000, 0, 0}, {}, Profile::urgent});
    tasks.spawn(reader("a/1", 1'000'000));
    std::optional<Error> error;
    Signal signal(io.get_executor());
    asio::cancellation_signal hurry;
    tasks.spawn(read_after(throttle, signal, stop, error), hurry.slot());
    pass(seconds(1));
    hurry.emit(asio::cancellation_type::terminal);
    pass(milliseconds(1));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, errc::cancelled);
    end();
}

Awaitable<void> work_and_rest(Throttle& throttle, const Clock& clock, const bool& stop,
                              int& rounds) {
    asio::steady_timer work(co_await asio::this_coro::executor);
    while (!stop) {
        const auto began = clock.steady();
        work.expires_after(milliseconds(20));
        co_await work.async_wait(asio::use_awaitable);
        throttle.answered("a", milliseconds(rounds < 100 ? 10 : 60));
        ++rounds;
        const auto rested = co_await throttle.rest(clock.steady() - began, stop);
        if (rested.has_error()) co_return;
    }
}

TEST_F(ThrottleTest, APoliteOneRestsWhileAnswersAreSlowAndAnUrgentOneAtOnceNoMore) {
    throttle.change({{}, {}, Profile::polite});
    int rounds = 0;
    tasks.spawn(work_and_rest(throttle, clock, stop, rounds));
    pass(seconds(2));
    EXPECT_GE(rounds, 99);
    pass(seconds(10));
    const int before = rounds;
    pass(seconds(10));
    EXPECT_LT(rounds - before, 50);
    throttle.change({{}, {}, Profile::urgent});
    const int changed = rounds;
    pass(seconds(2));
    EXPECT_GE(rounds - changed, 99);
    stop = true;
    throttle.wake();
    pass(seconds(1));
    EXPECT_EQ(tasks.running(), 0u);
}

}  // namespace
}  // namespace fragmend::scheduler
