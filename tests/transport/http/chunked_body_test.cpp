// Chunked HTTP bodies: every split, every malformation.
#include "transport/http/chunked_body.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fragmend::transport::http {
namespace {

/// Receives `text` in pieces; what came out, or the error, and what was left behind the body.
struct Collected {
    std::string text;
    std::string rest;
};

Collected collect(std::string_view text, std::size_t piece_bytes, std::size_t bytes_max = 1000) {
    ChunkedBody body(bytes_max);
    std::string buffered;
    while (!body.finished()) {
        if (text.empty()) return {"unfinished", buffered};
        const auto piece = text.substr(0, piece_bytes);
        text.remove_prefix(piece.size());
        buffered += piece;
        auto taken = body.feed(as_bytes_view(buffered));
        if (taken.has_error()) return {to_string(taken.error()), buffered};
        buffered.erase(0, *taken);
    }
    return {body.take(), buffered + std::string(text)};
}

constexpr std::string_view answer = "2\r\nab\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";

TEST(ChunkedBody, TakesAnySplit) {
    for (std::size_t piece = 1; piece <= answer.size() + 4; ++piece) {
        const auto collected = collect(std::string(answer) + "next", piece);
        EXPECT_EQ(collected.text, "ab0123456789") << piece;
        EXPECT_EQ(collected.rest, "next") << piece;
    }
}

TEST(ChunkedBody, TakesAnEmptyBodyOneByteAtATime) {
    EXPECT_EQ(collect("0\r\n\r\n", 1).text, "");
    EXPECT_EQ(collect("0\r\nA: b\r\n\r\n", 1).text, "");
}

TEST(ChunkedBody, IsNotFinishedWithoutItsLastChunk) {
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
        EXPECT_EQ(collect(answer.substr(0, cut), 3).text, "unfinished") << cut;
    }
}

TEST(ChunkedBody, RefusesWhatIsNoChunk) {
    for (const std::string_view text :
         {"\r\nabcdef", "xyz\r\nabcdef", "-1\r\nabcdef", "+1\r\nabcdef", " 1\r\nabcdef",
          "0x1\r\nabcdef\r\n\r\n", "1 2\r\nabcdef", "3\r\nabcd\r\n0\r\n\r\n",
          "3\r\nabcx\r\n0\r\n\r\n", "3\nabc\n0\n\n\r\n", "10000000000000000\r\nabcdef"}) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{4}, text.size()}) {
            EXPECT_TRUE(collect(text, piece).text.starts_with("protocol: malformed chunked body: "))
                << text << " by " << piece;
        }
    }
}

TEST(ChunkedBody, BoundsWhatItHolds) {
    const std::string too_long = "limit: a response body that is longer than its limit";
    EXPECT_EQ(collect("3\r\nabc\r\n0\r\n\r\n", 1, 3).text, "abc");
    EXPECT_EQ(collect("4\r\nabcd\r\n0\r\n\r\n", 1, 3).text, too_long);
    EXPECT_EQ(collect("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 1, 3).text, too_long);
    EXPECT_EQ(collect("ffffffffffffffff\r\n", 100).text, too_long);
    for (const char* start : {"1;a=", "0\r\nA: ", "1"}) {
        EXPECT_TRUE(collect(start + std::string(10000, 'f'), 100).text.starts_with("protocol: "))
            << start;
    }
}

}  // namespace
}  // namespace fragmend::transport::http
