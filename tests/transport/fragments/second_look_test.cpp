// Archives that are asked for once more, from scripted servers.
#include "transport/fragments/second_look.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::transport::fragments {
namespace {

using test::PeerConnection;

constexpr std::size_t archive_bytes = 300'000;

struct SecondLookTest : ::testing::Test {
    ~SecondLookTest() override { client.pool().close(); }

    /// Lets pieces through as long as `lets` lasts.
    Awaitable<Result<void>> may_read(std::size_t bytes) {
        if (lets == 0) co_return Error{errc::cancelled, "stopped"};
        --lets;
        pieces.push_back(bytes);
        co_return Result<void>();
    }
    Awaitable<bool> look(std::uint16_t port) {
        DamagedArchive archive;
        archive.node.replication_ip = "127.0.0.1";
        archive.node.replication_port = port;
        archive.node.device = "sda";
        archive.partition = "7";
        archive.object_path = "/a/c/o";
        archive.archive_bytes = archive_bytes;
        http::Abort abort;
        MayRead asked = [this](std::size_t bytes) { return may_read(bytes); };
        co_await second_look(client, std::move(archive), Timeouts(), std::move(asked), abort);
        co_return true;
    }
    void look_at(std::string body) {
        test::ScriptedPeer peer({[body = std::move(body)](PeerConnection& connection) {
            connection.read_until("\r\n\r\n");
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(archive_bytes) +
                            "\r\n\r\n" + body);
        }});
        EXPECT_TRUE(test::run_coroutine(io, look(peer.port())));
    }

    asio::io_context io;
    SystemClock clock;
    http::Client client{io.get_executor(), "obj-reconstructor 1", clock};
    std::size_t lets = 1000;
    std::vector<std::size_t> pieces;
};

TEST_F(SecondLookTest, AsksForEveryPieceOfTheArchive) {
    look_at(std::string(archive_bytes, 'x'));
    EXPECT_GT(pieces.size(), 3u);
    EXPECT_EQ(std::accumulate(pieces.begin(), pieces.end(), std::size_t{0}), archive_bytes);
}

TEST_F(SecondLookTest, EndsWhenItMayReadNoMore) {
    lets = 2;
    look_at(std::string(archive_bytes, 'x'));
    EXPECT_EQ(pieces.size(), 2u);
}

TEST_F(SecondLookTest, EndsWithABodyThatEndsEarly) {
    look_at(std::string(1000, 'x'));
    EXPECT_EQ(pieces.size(), 1u);
}

}  // namespace
}  // namespace fragmend::transport::fragments
