// The REPLICATE client against a scripted peer.
#include "transport/replicate/replicate.hpp"

#include <gtest/gtest.h>

#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::transport::replicate {
namespace {

Result<ReplicateAnswer> ask(test::PeerScript script, TimeLimit http = TimeLimit::from_int(20)) {
    asio::io_context io;
    SystemClock clock;
    test::ScriptedPeer peer({std::move(script)});
    http::Client client(io.get_executor(), "obj-reconstructor 1", clock);
    ReplicateRequest request;
    request.node.replication_ip = "127.0.0.1";
    request.node.replication_port = peer.port();
    request.node.device = "sdb";
    request.partition = "17";
    request.policy_index = 1;
    request.timeouts.conn = TimeLimit::from_float(20);
    request.timeouts.http = http;
    http::Abort abort;
    auto answer = test::run_coroutine(io, get_suffix_hashes(client, request, abort));
    client.pool().close();
    return answer;
}

TEST(Replicate, ReturnsThePickle) {
    const std::string pickle("\x80\x02}q\x00.", 6);
    const auto answer = ask([&](test::PeerConnection& peer) {
        EXPECT_TRUE(peer.read_until("\r\n\r\n").starts_with("REPLICATE /sdb/17 HTTP/1.1\r\n"));
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + pickle);
        peer.read_to_end();
    });
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, pickle);
}

TEST(Replicate, TellsAnUnmountedDevice) {
    const auto answer = ask([](test::PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send("HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 2\r\n\r\nno");
        peer.read_to_end();
    });
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 507);
}

TEST(Replicate, RefusesAnEndlessBody) {
    const auto answer = ask([](test::PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
        peer.read_to_end();
    });
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().code, errc::limit);
}

TEST(Replicate, GivesUpWithSwiftsWords) {
    const auto answer =
        ask([](test::PeerConnection& peer) { peer.hang(); }, TimeLimit::from_float(0.05));
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(to_string(answer.error()), "timeout: Timeout (0.05s)");
}

TEST(Replicate, GivesUpOnABodyThatStops) {
    const auto answer = ask(
        [](test::PeerConnection& peer) {
            peer.read_until("\r\n\r\n");
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
            peer.hang();
        },
        TimeLimit::from_float(0.05));
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().code, errc::timeout);
}

}  // namespace
}  // namespace fragmend::transport::replicate
