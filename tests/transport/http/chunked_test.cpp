// Chunked bodies: every split, every malformation.
#include "transport/http/chunked.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/support/seed.hpp"

namespace fragmend::transport::http {
namespace {

struct Decoded {
    std::string data;
    std::size_t consumed = 0;
    bool finished = false;
    bool failed = false;
};

/// Feeds `text` in pieces whose lengths `next_piece` gives.
template <typename NextPiece>
Decoded decode(std::string_view text, NextPiece next_piece) {
    ChunkDecoder decoder;
    Decoded result;
    while (result.consumed < text.size() && !decoder.finished()) {
        auto piece = text.substr(result.consumed, next_piece());
        while (!piece.empty() && !decoder.finished()) {
            auto step = decoder.next(as_bytes_view(piece));
            if (step.has_error()) {
                EXPECT_EQ(step.error().code, errc::protocol);
                result.failed = true;
                return result;
            }
            EXPECT_GT(step->consumed, 0u);
            result.data += as_text(step->data);
            result.consumed += step->consumed;
            piece.remove_prefix(step->consumed);
        }
    }
    result.finished = decoder.finished();
    return result;
}

Decoded decode_whole(std::string_view text) {
    return decode(text, [] { return std::string::npos; });
}

constexpr std::string_view swifts_answer =
    "2\r\n\r\n\r\n17\r\n:MISSING_CHECK: START\r\n\r\n23\r\n461a6a9351174f3dc7e7ab432e03ca29 dm\r\n"
    "0\r\n\r\n";
constexpr std::string_view swifts_data =
    "\r\n:MISSING_CHECK: START\r\n461a6a9351174f3dc7e7ab432e03ca29 dm";

TEST(Chunked, RoundTripsWhatItWrites) {
    std::string text;
    append_chunk(text, "hello");
    append_chunk(text, std::string(0x1234, 'x'));
    EXPECT_TRUE(text.starts_with("5\r\nhello\r\n1234\r\n"));
    text += last_chunk;
    const auto decoded = decode_whole(text);
    EXPECT_EQ(decoded.data, "hello" + std::string(0x1234, 'x'));
    EXPECT_TRUE(decoded.finished);
    EXPECT_EQ(decoded.consumed, text.size());
}

TEST(Chunked, DecodesOneByteAtATime) {
    const auto decoded = decode(swifts_answer, [] { return 1; });
    EXPECT_EQ(decoded.data, swifts_data);
    EXPECT_TRUE(decoded.finished);
}

TEST(Chunked, DecodesAnySplit) {
    std::mt19937_64 random(test::seed());
    for (int round = 0; round < 500; ++round) {
        const auto decoded = decode(swifts_answer, [&] {
            return std::uniform_int_distribution<std::size_t>(1, 9)(random);
        });
        ASSERT_EQ(decoded.data, swifts_data);
        ASSERT_TRUE(decoded.finished);
    }
}

TEST(Chunked, SkipsExtensionsAndTrailersAndLeavesWhatFollows) {
    const std::string_view text = "3;name=value\r\nabc\r\n0;x\r\nTrailer: y\r\n\r\nnext";
    const auto decoded = decode(text, [] { return 1; });
    EXPECT_EQ(decoded.data, "abc");
    EXPECT_TRUE(decoded.finished);
    EXPECT_EQ(text.substr(decoded.consumed), "next");
}

TEST(Chunked, IsNotFinishedWithoutItsLastChunk) {
    for (std::size_t cut = 0; cut < swifts_answer.size(); ++cut) {
        const auto decoded = decode_whole(swifts_answer.substr(0, cut));
        EXPECT_FALSE(decoded.finished) << cut;
        EXPECT_FALSE(decoded.failed) << cut;
    }
}

TEST(Chunked, RefusesWhatIsNoChunk) {
    for (const std::string_view text :
         {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "0x1\r\n", "1 2\r\n", "1_0\r\n",
          "3\r\nabcd\r\n", "3\r\nabc\rx", "3\r\nabcx", "1000000000000\r\n", "0000000000000\r\n",
          "3\rx"}) {
        EXPECT_TRUE(decode_whole(text).failed) << text;
    }
}

TEST(Chunked, BoundsExtensionsAndTrailers) {
    EXPECT_TRUE(decode_whole("1;" + std::string(10000, 'x')).failed);
    EXPECT_TRUE(decode_whole("0\r\n" + std::string(10000, 'x')).failed);
    EXPECT_TRUE(decode_whole("1" + std::string(10000, ' ')).failed);
}

}  // namespace
}  // namespace fragmend::transport::http
