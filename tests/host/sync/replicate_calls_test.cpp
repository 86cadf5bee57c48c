// What asking for suffix hashes has to do with profiles, against a scripted peer.
#include "host/sync/replicate_calls.hpp"

#include <gtest/gtest.h>

#include "tests/host/sync/session_fixture.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::sync {
namespace {

using test::PeerConnection;

struct ReplicateCallsTest : testing::SessionFixture {
    Awaitable<bool> ask(ReplicateCalls& calls, std::uint16_t port) {
        Node node = swift::test::make_node(1);
        node.replication_ip = "127.0.0.1";
        node.replication_port = port;
        const auto answer = co_await calls.ask(std::move(node), "");
        co_return answer.has_value() && answer->status == 200;
    }
    std::chrono::nanoseconds rested() {
        return rebuild_stats.wait_for_throttle.any_until(clock.steady());
    }

    scheduler::Throttle polite{
        io.get_executor(), clock, rebuild_stats, {{}, {}, scheduler::Profile::polite}};
};

TEST_F(ReplicateCallsTest, RestsAfterAnAnswerAndTellsTheProfileNothing) {
    Services shared = services();
    shared.throttle = &polite;
    const std::string partition = "7";
    ReplicateCalls calls(shared, policy, partition, activity);
    test::ScriptedPeer peer({[](PeerConnection& connection) {
        while (!connection.read_until("\r\n\r\n").empty())
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n}.");
    }});
    EXPECT_TRUE(test::run_coroutine(io, ask(calls, peer.port())));
    EXPECT_EQ(rested().count(), 0);
    polite.answered("somebody", std::chrono::milliseconds(5));
    while (polite.pace() == 1)
        polite.answered("somebody", std::chrono::milliseconds(500));
    const double pace = polite.pace();
    EXPECT_TRUE(test::run_coroutine(io, ask(calls, peer.port())));
    EXPECT_GT(rested().count(), 0);
    EXPECT_EQ(polite.pace(), pace);
    EXPECT_EQ(replicate_calls.in_use(), 0u);
    client.pool().close();
}

}  // namespace
}  // namespace fragmend::sync
