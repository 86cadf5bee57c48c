// Batches: that they grow under load, keep their limits, come back, and stop.
#include "scheduler/dispatcher.hpp"

#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "fakes.hpp"

namespace fragmend::scheduler::testing {
namespace {

constexpr std::size_t length = 120;

/// One object's next round, ready for the codec.
struct Item {
    explicit Item(FakeCodec& codec) {
        const EcScheme scheme{"fake", 3, 1};
        const std::vector<std::uint8_t> survivors{0, 1, 2};
        for (std::uint8_t index : survivors)
            archives.push_back(make_archive(7, index, length, length));
        for (const Bytes& archive : archives)
            views.emplace_back(archive);
        digests = codec.digests(3);
        job.work.plan = codec.plan(scheme, survivors, 3).value();
        job.work.survivors = views;
        job.work.outputs = std::span(&into, 1);
        job.work.digests = digests.get();
        job.chain = &chain;
    }
    std::vector<Bytes> archives;
    std::vector<ByteView> views;
    Bytes output = Bytes(length);
    ByteSpan into = output;
    std::unique_ptr<SurvivorDigests> digests;
    Md5Digest chain{};
    DecodeJob job;
    std::optional<Error> refused;
    bool returned = false;
};

Awaitable<void> run_item(Dispatcher& dispatcher, Item& item) {
    const Result<void> ran = co_await dispatcher.run(item.job);
    if (ran.has_error()) item.refused = ran.error();
    item.returned = true;
}

/// A dispatcher whose pool works only when told.
struct Bench {
    explicit Bench(DispatcherLimits limits)
        : dispatcher(io.get_executor(), workers.get_executor(), codec, limits),
          tasks(io.get_executor()) {
        codec.slots_are_aligned = false;
    }
    void submit(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            tasks.spawn(run_item(dispatcher, items.emplace_back(codec)));
        }
        poll(io);
    }
    static void poll(asio::io_context& context) {
        context.restart();
        context.poll();
    }
    void work() {
        poll(workers);
        poll(io);
    }
    std::size_t returned() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(items, [](const Item& item) { return item.returned; }));
    }
    asio::io_context io;
    asio::io_context workers;
    FakeCodec codec;
    Dispatcher dispatcher;
    TaskGroup tasks;
    std::deque<Item> items;
};

TEST(Dispatcher, StartsAtOnceAndTakesAllThatQueuedMeanwhile) {
    Bench bench({1, 100, 1 << 20, 100});
    bench.submit(1);
    bench.submit(9);
    EXPECT_EQ(bench.dispatcher.stats().batches, 1u);
    bench.work();
    EXPECT_EQ(bench.returned(), 1u);
    EXPECT_EQ(bench.dispatcher.stats().batches, 2u);
    bench.work();
    EXPECT_EQ(bench.returned(), 10u);
    EXPECT_EQ(bench.dispatcher.stats().batch_items_peak, 9u);
    EXPECT_EQ(bench.dispatcher.stats().queue_items_peak, 9u);
    const Bytes truth = make_archive(7, 3, length, length);
    for (const Item& item : bench.items)
        EXPECT_EQ(item.output, truth);
}

TEST(Dispatcher, SharesTheQueueAmongItsWorkers) {
    Bench bench({3, 100, 1 << 20, 100});
    bench.submit(3);
    bench.submit(9);
    EXPECT_EQ(bench.dispatcher.stats().batches, 3u);
    bench.work();
    EXPECT_EQ(bench.dispatcher.stats().batches, 6u);
    EXPECT_LE(bench.dispatcher.stats().batch_items_peak, 4u);
    bench.work();
    bench.work();
    EXPECT_EQ(bench.returned(), 12u);
}

TEST(Dispatcher, FillsABatchBeforeAnotherWorkerBegins) {
    Bench bench({.workers = 2, .fill_survivors = 9});  // Three items.
    bench.submit(1);
    bench.submit(2);
    EXPECT_EQ(bench.dispatcher.busy_workers(), 1u);
    bench.submit(1);
    EXPECT_EQ(bench.dispatcher.busy_workers(), 2u);
    EXPECT_EQ(bench.dispatcher.queued_items(), 0u) << "one batch, more than a half of the queue";
    bench.submit(4);
    bench.work();
    EXPECT_EQ(bench.dispatcher.stats().batches, 4u);
    EXPECT_EQ(bench.dispatcher.stats().batch_items_peak, 3u);
    bench.work();
    EXPECT_EQ(bench.returned(), 8u);
}

TEST(Dispatcher, KeepsTheLimitsOfABatch) {
    Bench by_count({1, 4, 1 << 20, 100});
    by_count.submit(1);
    by_count.submit(10);
    for (int i = 0; i < 4; ++i)
        by_count.work();
    EXPECT_EQ(by_count.returned(), 11u);
    EXPECT_EQ(by_count.dispatcher.stats().batch_items_peak, 4u);

    Bench by_bytes({1, 100, 2 * 3 * length, 100});
    by_bytes.submit(1);
    by_bytes.submit(6);
    for (int i = 0; i < 4; ++i)
        by_bytes.work();
    EXPECT_EQ(by_bytes.returned(), 7u);
    EXPECT_EQ(by_bytes.dispatcher.stats().batch_items_peak, 2u);

    Bench one_at_least({1, 100, 1, 100});
    one_at_least.submit(2);
    one_at_least.work();
    one_at_least.work();
    EXPECT_EQ(one_at_least.returned(), 2u);
}

TEST(Dispatcher, LetsOwnersWaitWhenTheQueueIsFull) {
    Bench bench({1, 100, 1 << 20, 3});
    bench.submit(10);
    EXPECT_EQ(bench.dispatcher.stats().queue_items_peak, 2u);
    for (int i = 0; i < 10; ++i)
        bench.work();
    EXPECT_EQ(bench.returned(), 10u);
}

TEST(Dispatcher, AnItemThatFailsDoesNotTouchTheOthersAndKeepsItsChain) {
    Bench bench({1, 100, 1 << 20, 100});
    bench.submit(1);
    bench.submit(3);
    bench.items[2].archives[1][0] ^= std::byte{9};
    bench.work();
    bench.work();
    EXPECT_EQ(bench.items[2].job.work.culprit, 1);
    EXPECT_EQ(bench.items[2].chain, Md5Digest{});
    Md5 expected;
    expected.update(Md5Digest{});
    expected.update(bench.codec.fingerprint(bench.items[3].output));
    EXPECT_EQ(bench.items[3].chain, expected.finish());
    EXPECT_FALSE(bench.items[1].job.work.error);
    EXPECT_FALSE(bench.items[3].job.work.error);
}

TEST(Dispatcher, StopRefusesTheQueueAndWaitsForTheBatchThatRuns) {
    Bench bench({1, 100, 1 << 20, 4});
    bench.submit(6);  // One at work, three queued, two without room.
    bench.tasks.spawn(bench.dispatcher.stop());
    Bench::poll(bench.io);
    EXPECT_EQ(bench.returned(), 5u);
    EXPECT_FALSE(bench.items[0].returned);
    for (std::size_t i = 1; i < 6; ++i)
        EXPECT_TRUE(bench.items[i].refused);
    bench.work();
    EXPECT_TRUE(bench.items[0].returned);
    EXPECT_FALSE(bench.items[0].refused);
    EXPECT_EQ(bench.tasks.running(), 0u);
    bench.submit(1);
    EXPECT_TRUE(bench.items.back().refused);
}

TEST(Dispatcher, AHurriedOwnerLeavesTheQueueButNotABatch) {
    Bench bench({1, 100, 1 << 20, 100});
    asio::cancellation_signal hurry_running;
    asio::cancellation_signal hurry_queued;
    Item& running = bench.items.emplace_back(bench.codec);
    Item& queued = bench.items.emplace_back(bench.codec);
    bench.tasks.spawn(run_item(bench.dispatcher, running), hurry_running.slot());
    bench.tasks.spawn(run_item(bench.dispatcher, queued), hurry_queued.slot());
    Bench::poll(bench.io);
    hurry_running.emit(asio::cancellation_type::terminal);
    hurry_queued.emit(asio::cancellation_type::terminal);
    Bench::poll(bench.io);
    EXPECT_FALSE(running.returned);
    EXPECT_TRUE(queued.returned);
    EXPECT_TRUE(queued.refused);
    bench.work();
    EXPECT_TRUE(running.returned);
    EXPECT_FALSE(running.refused);
    EXPECT_EQ(bench.codec.items, 1);
}

}  // namespace
}  // namespace fragmend::scheduler::testing
