// What engines refuse, and their tickets, on the CPU emulation.
#include "kernels/api/cpu_engine.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace fragmend::kernels {
namespace {

Limits small_limits() {
    Limits limits;
    limits.batches_in_flight = 2;
    limits.batch_items_max = 4;
    limits.batch_sources_max = 6;
    limits.batch_outputs_max = 2;
    limits.batch_rows_max = 2;
    return limits;
}

Rows xor_rows(std::size_t sources) {
    gf::Matrix matrix(gf::Field::gf2, 1, sources);
    for (gf::Element& element : matrix.row(0)) {
        element = 1;
    }
    return Rows::make(matrix).value();
}

/// One item that XORs two sources of three bytes.
struct Pair {
    Rows rows = xor_rows(2);
    std::array<std::uint8_t, 3> a = {1, 2, 3};
    std::array<std::uint8_t, 3> b = {0xf1, 0xf2, 0xf3};
    std::array<std::uint8_t, 3> out = {};
    std::array<const std::uint8_t*, 2> sources = {a.data(), b.data()};
    std::array<std::uint8_t*, 1> outputs = {out.data()};
    std::array<Md5State, 2> states;
    std::array<Md5State*, 2> digests = {&states[0], &states[1]};

    Item item() {
        Item item;
        item.rows = &rows;
        item.sources = sources;
        item.outputs = outputs;
        item.bytes = a.size();
        item.digests = digests;
        return item;
    }
};

StatusCode submit_one(CpuEngine& engine, const Item& item) {
    Ticket ticket;
    std::array items = {item};
    const Status status = engine.submit(items, Memory::plain, ticket);
    return status.ok() ? engine.wait(ticket, 1).code : status.code;
}

TEST(CpuEngine, ComputesAnItem) {
    CpuEngine engine(small_limits());
    Pair pair;
    EXPECT_EQ(submit_one(engine, pair.item()), StatusCode::ok);
    EXPECT_EQ(pair.out, (std::array<std::uint8_t, 3>{0xf0, 0xf0, 0xf0}));
    EXPECT_EQ(pair.states[1].bytes, 3u);
}

TEST(CpuEngine, DigestsOfOutputsTakeThePayloadBehindWhatWasAbsorbedBefore) {
    CpuEngine engine(small_limits());
    Pair pair;
    const std::array<std::uint8_t, 2> header = {7, 8};
    Md5State rebuilt;
    md5_absorb(rebuilt, header.data(), header.size());
    Md5State expected = rebuilt;
    const std::array<Md5State*, 3> digests = {&pair.states[0], &pair.states[1], &rebuilt};
    Item item = pair.item();
    item.digests = digests;
    ASSERT_EQ(submit_one(engine, item), StatusCode::ok);
    const std::array<std::uint8_t, 3> payload = {0xf0, 0xf0, 0xf0};
    md5_absorb(expected, payload.data(), payload.size());
    EXPECT_EQ(md5_digest(rebuilt), md5_digest(expected));
    EXPECT_EQ(pair.states[1].bytes, 3u);
}

TEST(CpuEngine, RefusesItemsThatContradictTheirRows) {
    CpuEngine engine(small_limits());
    Pair pair;
    Item item = pair.item();
    item.sources = item.sources.first(1);
    EXPECT_EQ(submit_one(engine, item), StatusCode::bad_item);
    item = pair.item();
    item.outputs = {};
    EXPECT_EQ(submit_one(engine, item), StatusCode::bad_item);
    item = pair.item();
    item.digests = item.digests.first(1);
    EXPECT_EQ(submit_one(engine, item), StatusCode::bad_item);
    item = pair.item();
    const std::array checks = {Check{&pair.rows, 2}};
    item.checks = checks;
    EXPECT_EQ(submit_one(engine, item), StatusCode::bad_item) << "position beyond the sources";
    gf::Matrix matrix(gf::Field::gf16, 1, 2);
    matrix.at(0, 0) = 7;
    const Rows wide = Rows::make(matrix).value();
    item = pair.item();
    item.rows = &wide;
    EXPECT_EQ(submit_one(engine, item), StatusCode::bad_item) << "odd length in GF(2^16)";
    EXPECT_EQ(pair.out, (std::array<std::uint8_t, 3>{})) << "nothing was computed";
    EXPECT_EQ(pair.states[0].bytes, 0u);
}

TEST(CpuEngine, RefusesBatchesBeyondItsLimits) {
    CpuEngine engine(small_limits());
    Pair pair;
    Ticket ticket;
    std::array<Item, 5> items;
    EXPECT_EQ(engine.submit(items, Memory::plain, ticket).code, StatusCode::too_large);
    items.fill(pair.item());
    const auto three = std::span(items).first(3);
    EXPECT_EQ(engine.submit(three, Memory::plain, ticket).code, StatusCode::too_large)
        << "three outputs";
}

TEST(CpuEngine, ATicketIsGoodOnce) {
    CpuEngine engine(small_limits());
    std::array<Item, 1> items;
    Ticket first;
    Ticket second;
    Ticket third;
    ASSERT_TRUE(engine.submit(items, Memory::plain, first).ok());
    ASSERT_TRUE(engine.submit(items, Memory::plain, second).ok());
    EXPECT_EQ(engine.submit(items, Memory::plain, third).code, StatusCode::busy);
    EXPECT_TRUE(engine.wait(first, 1).ok());
    EXPECT_EQ(engine.wait(first, 1).code, StatusCode::bad_ticket);
    ASSERT_TRUE(engine.submit(items, Memory::plain, third).ok());
    EXPECT_EQ(engine.wait(first, 1).code, StatusCode::bad_ticket) << "its slot is another's now";
    EXPECT_TRUE(engine.wait(second, 1).ok());
    EXPECT_TRUE(engine.wait(third, 1).ok());
}

TEST(CpuEngine, ThreadsShareItsSlots) {
    CpuEngine engine(small_limits());
    std::array<Pair, 8> pairs;
    {
        std::vector<std::jthread> threads;
        for (Pair& pair : pairs) {
            threads.emplace_back([&engine, &pair] {
                for (int i = 0; i < 200; ++i) {
                    while (submit_one(engine, pair.item()) == StatusCode::busy) {
                        std::this_thread::yield();
                    }
                }
            });
        }
    }
    for (const Pair& pair : pairs) {
        EXPECT_EQ(pair.out[0], 0xf0);
        EXPECT_EQ(pair.states[0].bytes, 600u);
    }
}

}  // namespace
}  // namespace fragmend::kernels
