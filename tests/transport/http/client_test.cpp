// Requests over pooled connections against a scripted peer.
#include "transport/http/client.hpp"

#include <gtest/gtest.h>

#include <future>

#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::transport::http {
namespace {

using test::PeerConnection;

constexpr std::string_view head_end = "\r\n\r\n";
const std::string request = "GET /x HTTP/1.1\r\n\r\n";
const TimeLimit patient = TimeLimit::from_float(20);
const TimeLimit tiny = TimeLimit::from_float(0.05);

std::string answer(std::string_view body, std::string_view fields = "") {
    return "HTTP/1.1 200 OK\r\n" + std::string(fields) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class FakeClock final : public Clock {
  public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override { return at; }
    std::chrono::steady_clock::time_point at{};
};

struct Fixture {
    explicit Fixture(std::vector<test::PeerScript> scripts, PoolLimits limits = {})
        : peer(std::move(scripts)),
          client(io.get_executor(), "obj-reconstructor 1", clock, limits) {}

    Peer address() const { return {"127.0.0.1", peer.port()}; }
    Result<Opened> open(const TimeLimit& head = patient) {
        Abort abort;
        return test::run_coroutine(io, client.open(address(), request, patient, head, 0, abort));
    }
    /// One whole exchange: status and body, or the error.
    std::string get() {
        auto opened = open();
        if (opened.has_error()) return to_string(opened.error());
        auto body = test::run_coroutine(io, read_body(opened->connection, opened->head, 1000,
                                                      Deadline::exception(patient, "x")));
        if (body.has_error()) return to_string(body.error());
        client.finish(address(), std::move(*opened), 0);
        return *body;
    }

    asio::io_context io;
    FakeClock clock;
    test::ScriptedPeer peer;
    Client client;
};

test::PeerScript say(std::string text) {
    return [text](PeerConnection& peer) {
        peer.read_until(head_end);
        peer.send(text);
        peer.read_to_end();
    };
}

TEST(HttpClient, KeepsAConnectionForTheNextRequest) {
    Fixture fixture({[](PeerConnection& peer) {
        for (const char* body : {"one", "two"}) {
            EXPECT_EQ(peer.read_until(head_end), request);
            peer.send(answer(body));
        }
        EXPECT_EQ(peer.read_to_end(), "");
    }});
    EXPECT_EQ(fixture.get(), "one");
    EXPECT_EQ(fixture.client.pool().idle(), 1u);
    EXPECT_EQ(fixture.get(), "two");
    fixture.client.pool().close();
}

TEST(HttpClient, ReplacesAStaleConnectionOnce) {
    Fixture fixture({[](PeerConnection& peer) {
                         peer.read_until(head_end);
                         peer.send(answer("one"));
                         peer.read_until(head_end);  // Closed instead of answered.
                     },
                     say(answer("two"))});
    EXPECT_EQ(fixture.get(), "one");
    EXPECT_EQ(fixture.get(), "two");
    fixture.client.pool().close();
}

TEST(HttpClient, DoesNotReplaceAFreshConnection) {
    Fixture fixture({[](PeerConnection& peer) { peer.read_until(head_end); },
                     [](PeerConnection&) { ADD_FAILURE() << "asked twice"; }});
    EXPECT_EQ(fixture.get(), "disconnected: Remote end closed connection without response");
}

TEST(HttpClient, DoesNotReplaceOnceTheAnswerBegan) {
    Fixture fixture({[](PeerConnection& peer) {
                         peer.read_until(head_end);
                         peer.send(answer("one"));
                         peer.read_until(head_end);
                         peer.send("HTTP/1.1 200");
                     },
                     [](PeerConnection&) { ADD_FAILURE() << "asked twice"; }});
    EXPECT_EQ(fixture.get(), "one");
    EXPECT_EQ(fixture.get(), "disconnected: Remote end closed connection without response");
}

TEST(HttpClient, NeverReusesAConnectionThatSaidTooMuch) {
    Fixture fixture({say(answer("one") + "HTTP/1.1 200 OK\r\n"), say(answer("two"))});
    EXPECT_EQ(fixture.get(), "one");
    EXPECT_EQ(fixture.client.pool().idle(), 0u);
    EXPECT_EQ(fixture.get(), "two");
    fixture.client.pool().close();
}

TEST(HttpClient, NeverReusesAConnectionThatSpokeWhileIdle) {
    std::promise<void> answered, spoken;
    Fixture fixture({[&](PeerConnection& peer) {
                         peer.read_until(head_end);
                         peer.send(answer("one"));
                         answered.get_future().wait();
                         peer.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
                         spoken.set_value();
                         peer.read_to_end();
                     },
                     say(answer("two"))});
    EXPECT_EQ(fixture.get(), "one");
    EXPECT_EQ(fixture.client.pool().idle(), 1u);
    answered.set_value();
    spoken.get_future().wait();
    EXPECT_EQ(fixture.get(), "two");
    fixture.client.pool().close();
}

TEST(HttpClient, ReadsEveryFraming) {
    Fixture fixture({say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                         test::chunk("ab") + test::chunk("c") + "0\r\n\r\n"),
                     [](PeerConnection& peer) {
                         peer.read_until(head_end);
                         peer.send("HTTP/1.1 200 OK\r\n\r\nto the end");
                     }});
    EXPECT_EQ(fixture.get(), "abc");
    EXPECT_EQ(fixture.client.pool().idle(), 1u);
    fixture.client.pool().close();
    EXPECT_EQ(fixture.get(), "to the end");
    EXPECT_EQ(fixture.client.pool().idle(), 0u);
}

TEST(HttpClient, NoticesShortBodiesAndLongOnes) {
    Fixture fixture({[](PeerConnection& peer) {
                         peer.read_until(head_end);
                         peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
                     },
                     say(answer(std::string(1001, 'x')))});
    EXPECT_EQ(fixture.get(), "disconnected: a response body that ended early");
    EXPECT_EQ(fixture.get(), "limit: a response body that is longer than its limit");
}

TEST(HttpClient, GivesUpOnAPeerThatDoesNotAnswer) {
    Fixture fixture({[](PeerConnection& peer) { peer.hang(); }});
    const auto opened = fixture.open(tiny);
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(to_string(opened.error()), "timeout: Timeout (0.05s)");
}

TEST(HttpClient, NamesRefusedConnectionsAsSwift) {
    Fixture fixture({});
    fixture.peer.finish();
    const Peer nobody{"127.0.0.1", 1};
    Abort abort;
    auto opened = test::run_coroutine(
        fixture.io, fixture.client.open(nobody, request, patient, patient, 0, abort));
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(to_string(opened.error()), "connect_failed: Connection refused");
}

TEST(HttpClient, BoundsTheHead) {
    Fixture fixture({say("HTTP/1.1 200 OK\r\nA: " + std::string(100000, 'x'))});
    const auto opened = fixture.open();
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().code, errc::limit);
}

TEST(HttpClient, TakesAHeadOneByteAtATime) {
    Fixture fixture({[](PeerConnection& peer) {
        peer.read_until(head_end);
        for (char c : answer("one"))
            peer.send(std::string_view(&c, 1));
        peer.read_to_end();
    }});
    EXPECT_EQ(fixture.get(), "one");
    fixture.client.pool().close();
}

Awaitable<Result<Opened>> open_and_abort(Client& client, Peer peer, Abort& abort, TaskGroup& group,
                                         std::promise<void>& asked) {
    group.spawn(
        [](Abort& which, std::promise<void>& when, asio::any_io_executor on) -> Awaitable<void> {
            // The peer has the request in hand when it lets us go on.
            auto future = when.get_future();
            while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
                co_await asio::post(on, asio::use_awaitable);
            }
            which.abort();
        }(abort, asked, client.executor()));
    auto opened = co_await client.open(peer, request, patient, patient, 0, abort);
    co_await group.join();
    co_return opened;
}

TEST(HttpClient, AnAbortEndsARequestUnderWay) {
    std::promise<void> asked;
    Fixture fixture({[&](PeerConnection& peer) {
        peer.read_until(head_end);
        asked.set_value();
        EXPECT_EQ(peer.read_to_end(), "");
    }});
    Abort abort;
    TaskGroup group(fixture.io.get_executor());
    auto opened = test::run_coroutine(
        fixture.io, open_and_abort(fixture.client, fixture.address(), abort, group, asked));
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().code, errc::cancelled);
}

TEST(HttpPool, BoundsNumberAndAge) {
    const auto keep_open = [](PeerConnection& peer) {
        peer.read_until(head_end);
        peer.send(answer("x"));
        peer.read_to_end();
    };
    PoolLimits limits;
    limits.idle_per_peer_max = 2;
    Fixture fixture({keep_open, keep_open, keep_open, keep_open}, limits);
    std::vector<Opened> opened;
    for (int i = 0; i < 3; ++i) {
        auto one = fixture.open();
        ASSERT_TRUE(one.has_value());
        opened.push_back(std::move(*one));
    }
    for (Opened& one : opened)
        fixture.client.finish(fixture.address(), std::move(one), 1);
    EXPECT_EQ(fixture.client.pool().idle(), 2u);
    fixture.clock.at += std::chrono::hours(1);
    EXPECT_FALSE(fixture.client.pool().take(fixture.address()).has_value());
    EXPECT_EQ(fixture.client.pool().idle(), 0u);
}

TEST(HttpPool, BoundsTheTotal) {
    PoolLimits limits;
    limits.idle_total_max = 1;
    Fixture fixture({say(answer("a")), say(answer("b"))}, limits);
    auto first = fixture.open(), second = fixture.open();
    ASSERT_TRUE(first.has_value() && second.has_value());
    fixture.client.finish(fixture.address(), std::move(*first), 1);
    fixture.client.finish(fixture.address(), std::move(*second), 1);
    EXPECT_EQ(fixture.client.pool().idle(), 1u);
    fixture.client.pool().close();
}

}  // namespace
}  // namespace fragmend::transport::http
