// Leases, reuse and the bound on idle memory.
#include "host/base/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace fragmend {
namespace {

TEST(BufferPool, LeasesPagesAndReusesThem) {
    HeapSlabs slabs;
    BufferPool pool(slabs, 1 << 20);
    const std::byte* first = nullptr;
    {
        const auto lease = pool.lease(5000);
        first = lease.bytes().data();
        EXPECT_EQ(lease.bytes().size(), 8192u);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 4096, 0u);
        EXPECT_EQ(pool.leased_bytes(), 8192u);
    }
    EXPECT_EQ(pool.idle_bytes(), 8192u);
    const auto again = pool.lease(8000);
    EXPECT_EQ(again.bytes().data(), first);
    EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BufferPool, KeepsLeasedAndIdleTogetherWithinItsBound) {
    HeapSlabs slabs;
    BufferPool pool(slabs, 64 << 10);
    {
        auto a = pool.lease(20 << 10);
        auto b = pool.lease(40 << 10);
    }
    EXPECT_EQ(pool.idle_bytes(), 60u << 10);
    auto other = pool.lease(30 << 10);
    EXPECT_LE(pool.idle_bytes() + pool.leased_bytes(), 64u << 10);
    auto large = pool.lease(60 << 10);  // The budget let it; nothing idle may stay beside it.
    EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BufferPool, IdleSlabsMakeRoomForWhatIsClaimed) {
    HeapSlabs slabs;
    BufferPool pool(slabs, 64 << 10);
    {
        auto a = pool.lease(20 << 10);
        auto b = pool.lease(40 << 10);
    }
    auto claim = pool.claim(30 << 10);
    EXPECT_EQ(pool.idle_bytes(), 20u << 10);
    auto moved = std::move(claim);
    claim.shrink_to(0);
    EXPECT_EQ(pool.claimed_bytes(), 30u << 10);
    moved.shrink_to(10 << 10);
    EXPECT_EQ(pool.claimed_bytes(), 10u << 10);
    moved = pool.claim(50 << 10);
    EXPECT_EQ(pool.claimed_bytes(), 50u << 10);  // What it held before is given back.
}

TEST(BufferPool, WastesAtMostAnEighthAboveAFewPages) {
    for (std::size_t bytes = 65536; bytes < 8u << 20; bytes += 12345) {
        const std::size_t capacity = BufferPool::capacity_for(bytes);
        EXPECT_GE(capacity, bytes);
        EXPECT_LE(capacity, bytes + bytes / 8 + 1);
        EXPECT_EQ(capacity, BufferPool::capacity_for(capacity));
    }
}

TEST(BufferPool, LeaseMovesAndReleasesOnce) {
    HeapSlabs slabs;
    BufferPool pool(slabs, 0);
    auto a = pool.lease(1);
    auto b = std::move(a);
    a.release();
    EXPECT_EQ(pool.leased_bytes(), 4096u);
    b = pool.lease(10000);
    EXPECT_EQ(pool.leased_bytes(), 12288u);
    b.release();
    b.release();
    EXPECT_EQ(pool.leased_bytes(), 0u);
    EXPECT_EQ(pool.idle_bytes(), 0u);
}

}  // namespace
}  // namespace fragmend
