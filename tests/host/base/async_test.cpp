// Offload, semaphore and task group on a real io_context without any waiting for time.
#include "host/base/async.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <thread>
#include <vector>

namespace fragmend {
namespace {

Awaitable<void> take_and_note(Semaphore& semaphore, std::size_t units,
                              std::vector<std::size_t>& order,
                              std::vector<Semaphore::Permit>& held) {
    auto permit = co_await semaphore.acquire(units);
    if (permit.has_error()) co_return;
    order.push_back(units);
    held.push_back(std::move(permit.value()));
}

TEST(Semaphore, ServesInOrderAndNeverOvertakes) {
    asio::io_context io;
    Semaphore semaphore(io.get_executor(), 10);
    std::vector<std::size_t> order;
    std::vector<Semaphore::Permit> held;
    TaskGroup group(io.get_executor());
    for (std::size_t units : {8, 9, 1})
        group.spawn(take_and_note(semaphore, units, order, held));
    io.poll();
    EXPECT_EQ(order, (std::vector<std::size_t>{8}));
    held.clear();
    io.poll();
    EXPECT_EQ(order, (std::vector<std::size_t>{8, 9, 1}));
    held.clear();
    EXPECT_EQ(semaphore.in_use(), 0u);
}

TEST(Semaphore, LendsItsWholeCapacityToAnOversizedHolder) {
    asio::io_context io;
    Semaphore semaphore(io.get_executor(), 4);
    std::vector<std::size_t> order;
    std::vector<Semaphore::Permit> held;
    TaskGroup group(io.get_executor());
    group.spawn(take_and_note(semaphore, 100, order, held));
    io.poll();
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(semaphore.in_use(), 4u);
    held.front().shrink_to(1);
    EXPECT_EQ(semaphore.in_use(), 1u);
}

Awaitable<void> take_until(Semaphore& semaphore, std::size_t units,
                           std::chrono::steady_clock::time_point give_up,
                           std::vector<errc>& refused) {
    auto permit = co_await semaphore.acquire(units, give_up);
    if (permit.has_error()) refused.push_back(permit.error().code);
}

TEST(Semaphore, WhoGivesUpLeavesThePlaceToOthers) {
    asio::io_context io;
    Semaphore semaphore(io.get_executor(), 10);
    std::vector<std::size_t> order;
    std::vector<Semaphore::Permit> held;
    std::vector<errc> refused;
    TaskGroup group(io.get_executor());
    group.spawn(take_and_note(semaphore, 8, order, held));
    group.spawn(take_until(semaphore, 9, std::chrono::steady_clock::now(), refused));
    group.spawn(take_and_note(semaphore, 2, order, held));
    while (order.size() < 2)
        io.run_one();
    EXPECT_EQ(order, (std::vector<std::size_t>{8, 2}));
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused.front(), errc::timeout);
    group.spawn(take_until(semaphore, 10, std::chrono::steady_clock::time_point::max(), refused));
    semaphore.close();
    io.restart();
    io.poll();
    ASSERT_EQ(refused.size(), 2u);
    EXPECT_EQ(refused.back(), errc::cancelled);
    held.clear();
}

TEST(Semaphore, CloseWakesWaiters) {
    asio::io_context io;
    Semaphore semaphore(io.get_executor(), 1);
    std::vector<std::size_t> order;
    std::vector<Semaphore::Permit> held;
    TaskGroup group(io.get_executor());
    for (int i = 0; i < 3; ++i)
        group.spawn(take_and_note(semaphore, 1, order, held));
    io.poll();
    semaphore.close();
    io.poll();
    EXPECT_EQ(group.running(), 0u);
    EXPECT_EQ(order.size(), 1u);
}

Awaitable<void> wait_until(Signal& signal, const bool& stop, int& waits) {
    while (!stop) {
        ++waits;
        co_await signal.wait();
    }
}

TEST(TaskGroup, HurriesAChildWithoutThrowingIntoIt) {
    asio::io_context io;
    TaskGroup group(io.get_executor());
    Signal never(io.get_executor());
    bool stop = false;
    int waits = 0;
    {
        asio::cancellation_signal hurry;
        group.spawn(wait_until(never, stop, waits), hurry.slot());
        io.poll();
        hurry.emit(asio::cancellation_type::terminal);  // From outside of the loop, too.
        io.restart();
        io.poll();
        EXPECT_EQ(waits, 2);
        stop = true;
        never.notify();
        io.restart();
        io.poll();
        hurry.emit(asio::cancellation_type::terminal);  // Nobody is there any more.
    }
    io.restart();
    io.poll();
    EXPECT_EQ(group.running(), 0u);
}

TEST(Semaphore, ServesThoseBehindAWaiterThatLeaves) {
    asio::io_context io;
    Semaphore semaphore(io.get_executor(), 10);
    std::vector<std::size_t> order;
    std::vector<Semaphore::Permit> held;
    TaskGroup group(io.get_executor());
    asio::cancellation_signal hurry;
    group.spawn(take_and_note(semaphore, 6, order, held));
    group.spawn(take_and_note(semaphore, 9, order, held), hurry.slot());
    group.spawn(take_and_note(semaphore, 4, order, held));
    io.poll();
    hurry.emit(asio::cancellation_type::terminal);
    io.restart();
    io.poll();
    EXPECT_EQ(order, (std::vector<std::size_t>{6, 4}));
}

Awaitable<void> ask_pool(asio::any_io_executor pool, std::thread::id& worked,
                         std::thread::id& resumed) {
    worked = co_await offload(pool, [] { return std::this_thread::get_id(); });
    resumed = std::this_thread::get_id();
}

TEST(Offload, WorksOnThePoolAndResumesAtHome) {
    asio::io_context io;
    asio::thread_pool pool(1);
    std::thread::id worked, resumed;
    TaskGroup group(io.get_executor());
    group.spawn(ask_pool(pool.get_executor(), worked, resumed));
    io.run();
    EXPECT_EQ(resumed, std::this_thread::get_id());
    EXPECT_NE(worked, resumed);
}

}  // namespace
}  // namespace fragmend
