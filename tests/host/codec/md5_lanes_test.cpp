// Multi-lane MD5 against OpenSSL.
#include "host/codec/md5_lanes.hpp"

#include <gtest/gtest.h>

#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

/// A stream beside OpenSSL's digest of the same bytes.
struct Pair {
    Md5Stream stream;
    Md5 reference;
};

void feed(std::vector<Pair>& pairs, const std::vector<std::vector<std::byte>>& pieces,
          const Md5Kernel& kernel) {
    std::vector<Md5Feed> feeds;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        feeds.push_back({&pairs[i].stream, pieces[i]});
        pairs[i].reference.update(pieces[i]);
    }
    update(feeds, kernel);
}

void expect_equal(std::vector<Pair>& pairs, const Md5Kernel& kernel) {
    for (Pair& pair : pairs) {
        ASSERT_EQ(finish(pair.stream), pair.reference.finish())
            << kernel.name << ", " << pair.stream.bytes << " bytes";
    }
}

TEST(Md5Lanes, EveryLengthInOnePiece) {
    std::mt19937_64 random(test_seed());
    for (const Md5Kernel* kernel : available_md5_kernels()) {
        std::vector<Pair> pairs(300);
        std::vector<std::vector<std::byte>> pieces;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            pieces.push_back(random_bytes(i, random));
        }
        feed(pairs, pieces, *kernel);
        expect_equal(pairs, *kernel);
    }
}

TEST(Md5Lanes, RoundsOfAnyLengthForAnyNumberOfStreams) {
    std::mt19937_64 random(test_seed());
    for (const Md5Kernel* kernel : available_md5_kernels()) {
        for (std::size_t streams = 0; streams <= 40; ++streams) {
            std::vector<Pair> pairs(streams);
            for (int round = 0; round < 6; ++round) {
                // Now and then equal lengths, as within one object, else mixed and empty ones.
                const bool equal = random() % 2 == 0;
                const std::size_t length = random() % 1000;
                std::vector<std::vector<std::byte>> pieces;
                for (std::size_t i = 0; i < streams; ++i) {
                    const std::size_t own = random() % 4 == 0 ? random() % 5 : random() % 2000;
                    pieces.push_back(random_bytes(equal ? length : own, random));
                }
                feed(pairs, pieces, *kernel);
            }
            expect_equal(pairs, *kernel);
        }
    }
}

TEST(Md5Lanes, MoreLongStreamsThanLanesTakeTurns) {
    std::mt19937_64 random(test_seed());
    for (const Md5Kernel* kernel : available_md5_kernels()) {
        for (const std::size_t streams : {2u, 5u, 17u, 20u, 33u, 63u, 64u, 65u, 90u}) {
            std::vector<Pair> pairs(streams);
            for (const bool equal : {true, false}) {
                std::vector<std::vector<std::byte>> pieces;
                for (std::size_t i = 0; i < streams; ++i) {
                    pieces.push_back(random_bytes(equal ? 30'000 : random() % 60'000, random));
                }
                feed(pairs, pieces, *kernel);
            }
            expect_equal(pairs, *kernel);
        }
    }
}

/// Block times that a kernel of four lanes was busy for.
std::size_t& block_times() {
    static std::size_t count = 0;
    return count;
}

TEST(Md5Lanes, TurnsLeaveNoLaneIdleForLong) {
    constexpr Md5Kernel counting{
        "counting", 4, [](Md5Words* const*, const std::uint8_t* const*, std::size_t blocks) {
            block_times() += blocks;
        }};
    const std::size_t blocks = 1024;
    const std::vector<std::byte> bytes(blocks * gf::md5_block_bytes);
    std::vector<Md5Stream> streams(5);
    std::vector<Md5Feed> feeds;
    for (Md5Stream& stream : streams)
        feeds.push_back({&stream, bytes});
    block_times() = 0;
    update(feeds, counting);
    // One after the other it would be 2 * 1024.
    EXPECT_GE(block_times(), blocks * 5 / 4);
    EXPECT_LE(block_times(), blocks * 5 / 4 + 128);
}

TEST(Md5Lanes, OneByteAtATime) {
    std::mt19937_64 random(test_seed());
    for (const Md5Kernel* kernel : available_md5_kernels()) {
        std::vector<Pair> pairs(9);
        for (int i = 0; i < 200; ++i) {
            std::vector<std::vector<std::byte>> pieces;
            for (std::size_t j = 0; j < pairs.size(); ++j) {
                pieces.push_back(random_bytes(j % 2, random));
            }
            feed(pairs, pieces, *kernel);
        }
        expect_equal(pairs, *kernel);
    }
}

TEST(Md5Lanes, AStreamGoesOnAfterItsDigestWasTaken) {
    Md5Stream stream;
    EXPECT_EQ(to_hex(finish(stream)), "d41d8cd98f00b204e9800998ecf8427e");
    const Md5Feed one[] = {{&stream, as_bytes_view("abc")}};
    update(one, portable_md5);
    EXPECT_EQ(to_hex(finish(stream)), "900150983cd24fb0d6963f7d28e17f72");
    const Md5Feed two[] = {{&stream, as_bytes_view("def")}};
    update(two, portable_md5);
    EXPECT_EQ(to_hex(finish(stream)), md5_hex("abcdef"));
}

TEST(Md5Lanes, LengthsPastFourGibibytesCountInBits) {
    Md5Stream stream;
    stream.bytes = (std::uint64_t{1} << 61) - 64;  // 2^64 bits less one block.
    Md5Stream wrapped;
    const std::vector<std::byte> block(64);
    const Md5Feed feeds[] = {{&stream, block}, {&wrapped, block}};
    update(feeds, portable_md5);
    wrapped.bytes = 0;
    EXPECT_EQ(finish(stream), finish(wrapped)) << "MD5 counts modulo 2^64 bits";
}

}  // namespace
}  // namespace fragmend::codec
