// The budget under attack: many sessions, random sizes, cancellations, work that ends in any order.
#include "scheduler/memory_budget.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "fakes.hpp"

namespace fragmend::scheduler::testing {
namespace {

struct Client {
    MemoryBudget::Permit permit;
    std::optional<Error> refused;
    asio::cancellation_signal hurry;
    bool asked = false;
};

Awaitable<void> ask(MemoryBudget& budget, Client& client, std::size_t bytes) {
    client.asked = true;
    auto permit = co_await budget.acquire(bytes);
    if (permit.has_error()) {
        client.refused = permit.error();
    } else {
        client.permit = std::move(permit.value());
    }
}

TEST(MemoryBudget, RefusesMoreThanItHas) {
    asio::io_context io;
    MemoryBudget budget(io.get_executor(), 100);
    TaskGroup tasks(io.get_executor());
    Client client;
    tasks.spawn(ask(budget, client, 101));
    io.poll();
    ASSERT_TRUE(client.refused);
    EXPECT_TRUE(*client.refused == errc::limit);
    EXPECT_NE(client.refused->detail.find("fragmend_memory_limit is 100"), std::string::npos);
}

TEST(MemoryBudget, SetsAsideWhatSessionsAndPartitionsTakeButHalfAtMost) {
    constexpr std::size_t limit = std::size_t{128} << 20;
    EXPECT_EQ(lendable_bytes(limit, 0, 0), limit);
    EXPECT_EQ(lendable_bytes(limit, 3, 5),
              limit - 3 * session_bytes - 5 * partition_bytes - hashing_bytes);
    EXPECT_EQ(lendable_bytes(limit, 4096, 0), limit / 2);
    EXPECT_EQ(lendable_bytes(limit, 0, 4096), limit / 2);
}

TEST(MemoryBudget, PartitionsInFlightFollowFromTheLimit) {
    // As many as are set aside for, between what a pass needs to go on and what it may have.
    constexpr std::size_t half = 20 * partition_bytes + 8 * session_bytes + hashing_bytes;
    EXPECT_EQ(partitions_within(2 * half, 8, 64), 20u);
    EXPECT_EQ(partitions_within(2 * half - 2, 8, 64), 19u);
    EXPECT_EQ(lendable_bytes(2 * half, 8, 20), half);
    EXPECT_EQ(partitions_within(0, 1, 64), partitions_min);
    EXPECT_EQ(partitions_within(std::size_t{1} << 40, 1, 64), 64u);
    // Nobody has to run fewer sessions than are allowed.
    EXPECT_EQ(partitions_within(0, 40, 64), 40u);
    EXPECT_EQ(partitions_within(0, 400, 64), 64u);
    // With what is configured where nothing is.
    EXPECT_EQ(partitions_within(std::size_t{128} << 20, 8, 64), 64u);
}

TEST(MemoryBudget, LetsThoseBehindPassWhenALargeWaiterLeaves) {
    asio::io_context io;
    MemoryBudget budget(io.get_executor(), 100);
    TaskGroup tasks(io.get_executor());
    Client holder, large, small;
    tasks.spawn(ask(budget, holder, 60));
    tasks.spawn(ask(budget, large, 80), large.hurry.slot());
    tasks.spawn(ask(budget, small, 30));
    io.poll();
    EXPECT_EQ(small.permit.units(), 0u);
    large.hurry.emit(asio::cancellation_type::terminal);
    io.poll();
    EXPECT_TRUE(large.refused);
    EXPECT_EQ(small.permit.units(), 30u);
}

TEST(MemoryBudget, CloseWakesEverybodyWhoWaits) {
    asio::io_context io;
    MemoryBudget budget(io.get_executor(), 100);
    TaskGroup tasks(io.get_executor());
    Client holder, waiter, late;
    tasks.spawn(ask(budget, holder, 60));
    tasks.spawn(ask(budget, waiter, 80));
    io.poll();
    budget.close();
    tasks.spawn(ask(budget, late, 1));
    io.poll();
    EXPECT_TRUE(waiter.refused);
    EXPECT_TRUE(late.refused);
    EXPECT_EQ(tasks.running(), 0u);
}

/// A session in the rule's terms: objects that ask in order, and end in order, front first.
struct AttackedSession {
    std::deque<Client> objects;
    std::size_t front = 0;
    std::size_t ahead = 1;
    std::size_t asked = 0;
};

TEST(MemoryBudget, ProgressesWhateverTheSizesAndWhoeverLeaves) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("FRAGMEND_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 200; ++round) {
        asio::io_context io;
        const std::size_t capacity = 50 + random() % 200;
        MemoryBudget budget(io.get_executor(), capacity);
        TaskGroup tasks(io.get_executor());
        std::deque<AttackedSession> sessions(1 + random() % 8);
        for (AttackedSession& session : sessions) {
            session.ahead = 1 + random() % 6;
            for (std::uint64_t i = 5 + random() % 20; i > 0; --i)
                session.objects.emplace_back();
        }
        bool all_done = false;
        while (!all_done) {
            for (AttackedSession& session : sessions) {
                while (session.asked < session.objects.size() &&
                       session.asked < session.front + session.ahead) {
                    Client& client = session.objects[session.asked++];
                    tasks.spawn(ask(budget, client, 1 + random() % capacity), client.hurry.slot());
                }
            }
            io.restart();
            io.poll();
            EXPECT_LE(budget.in_use_bytes(), capacity);
            // One random session whose front holds its share ends it, or one object gives up.
            std::vector<AttackedSession*> able;
            all_done = true;
            for (AttackedSession& session : sessions) {
                if (session.front == session.objects.size()) continue;
                all_done = false;
                const Client& front = session.objects[session.front];
                if (front.permit.units() > 0 || front.refused) able.push_back(&session);
            }
            if (all_done) break;
            ASSERT_FALSE(able.empty())
                << "locked up with " << budget.in_use_bytes() << " of " << capacity;
            AttackedSession& session = *able[random() % able.size()];
            if (random() % 4 == 0) {
                // Somebody behind gives up, waiting or holding; a holder shrinks first.
                Client& client =
                    session.objects[session.front +
                                    random() % session.ahead % (session.asked - session.front)];
                client.hurry.emit(asio::cancellation_type::terminal);
                client.permit.shrink_to(client.permit.units() / 2 + 1);
                io.poll();
            } else {
                session.objects[session.front].permit.release();
                ++session.front;
            }
        }
        EXPECT_EQ(budget.in_use_bytes(), 0u);
        EXPECT_EQ(tasks.running(), 0u);
    }
}

}  // namespace
}  // namespace fragmend::scheduler::testing
