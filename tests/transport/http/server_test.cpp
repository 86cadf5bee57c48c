// The server's connections: what clients do on the wire, and what a handler sees of it.
#include "transport/http/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <thread>
#include <vector>

#include "tests/support/raw_client.hpp"
#include "tests/support/recorded_log.hpp"

namespace fragmend::transport::http {
namespace {

/// Answers as the path says.
class Echo final : public RequestHandler {
  public:
    Awaitable<void> handle(Exchange& exchange) override {
        const std::string path = exchange.head().path();
        if (path == "/silent") co_return;
        if (path == "/early") {
            Reply reply;
            reply.status = 409;
            auto sent = co_await exchange.reply(std::move(reply));
            static_cast<void>(sent);
        } else if (path == "/stream") {
            co_await stream(exchange);
        } else if (path == "/endless") {
            co_await pour(exchange);
        } else {
            co_await echo(exchange);
        }
    }
    std::atomic<int> failures = 0;
    std::atomic<std::size_t> poured_bytes = 0;

  private:
    /// Writes until nobody takes any more.
    Awaitable<void> pour(Exchange& exchange) {
        const std::string piece(64 * 1024, 'x');
        Reply head;
        auto sent = co_await exchange.begin(std::move(head), piece);
        while (sent.has_value() && poured_bytes < (std::size_t{64} << 20)) {
            sent = co_await exchange.write(as_bytes_view(piece));
            if (sent.has_value()) poured_bytes += piece.size();
        }
        if (sent.has_error()) ++failures;
    }
    Awaitable<void> echo(Exchange& exchange) {
        Reply reply;
        for (;;) {
            auto piece = co_await exchange.read(Deadline::stage(limit_, "body"));
            if (piece.has_error()) {
                ++failures;
                co_return;
            }
            if (piece->empty()) break;
            reply.body += as_text(*piece);
        }
        reply.fields.emplace_back("X-Peer", exchange.peer());
        auto sent = co_await exchange.reply(std::move(reply));
        static_cast<void>(sent);
    }
    /// Each piece goes back before the next one is read.
    Awaitable<void> stream(Exchange& exchange) {
        Reply head;
        auto sent = co_await exchange.begin(std::move(head), "\r\n");
        for (;;) {
            auto piece = co_await exchange.read(Deadline::stage(limit_, "body"));
            if (piece.has_error()) {
                ++failures;
                co_return;
            }
            if (piece->empty()) break;
            sent = co_await exchange.write(*piece);
            if (sent.has_error()) co_return;
        }
        sent = co_await exchange.finish();
    }
    TimeLimit limit_ = TimeLimit::from_float(20);
};

struct HttpServer : ::testing::Test {
    Echo handler;
    test::RecordedLog log;
    ServerLimits limits;

    static std::string get(std::string_view path, std::string_view more = "") {
        return "GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(more) + "\r\n";
    }
};

TEST_F(HttpServer, KeepsAConnectionForManyRequests) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient client(server.port());
    client.send("PUT /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" + get("/b"));
    const auto first = client.read_until("hello");
    EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\nX-Peer: 127.0.0.1\r\nContent-Length: 5\r\n"));
    EXPECT_NE(first.find("\r\nDate: "), std::string::npos);
    EXPECT_NE(client.read_until("\r\n\r\n").find("Content-Length: 0"), std::string::npos);
    client.send("HEAD /c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_NE(client.read_until("\r\n\r\n").find("Content-Length: 3"), std::string::npos);
    client.send(get("/d", "Connection: close\r\n"));
    EXPECT_NE(client.read_to_end().find("Connection: close\r\n"), std::string::npos);
}

TEST_F(HttpServer, TakesAChunkedBodyOneByteAtATime) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient client(server.port());
    for (const char c : std::string("PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
        client.send({&c, 1});
    }
    EXPECT_NE(client.read_until("abcde").find("Content-Length: 5"), std::string::npos);
    client.send(get("/b"));
    EXPECT_NE(client.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
}

TEST_F(HttpServer, StreamsBothWaysAtOnce) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient client(server.port());
    client.send("PUT /stream HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_NE(client.read_until("\r\n\r\n").find("Transfer-Encoding: chunked\r\n"),
              std::string::npos);
    EXPECT_EQ(client.read_bytes(7), "2\r\n\r\n\r\n");
    for (int i = 0; i < 3; ++i) {
        client.send("4\r\nping\r\n");
        EXPECT_EQ(client.read_bytes(9), "4\r\nping\r\n");
    }
    client.send("0\r\n\r\n");
    EXPECT_EQ(client.read_bytes(5), "0\r\n\r\n");
    client.send(get("/b"));
    EXPECT_NE(client.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
}

TEST_F(HttpServer, SaysContinueOnlyToWhoeverMaySend) {
    test::RunningServer server(handler, limits, log.logger());
    const std::string head = " HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    test::RawClient waits(server.port());
    waits.send("PUT /a" + head);
    EXPECT_EQ(waits.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    waits.send("ok");
    EXPECT_NE(waits.read_until("ok").find("200 OK"), std::string::npos);

    test::RawClient refused(server.port());
    refused.send("PUT /early" + head);
    const auto answer = refused.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 409 Conflict\r\n"));
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(HttpServer, ReadsASmallRestAndDropsALargeOne) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient small(server.port());
    small.send("PUT /early HTTP/1.1\r\nContent-Length: 4\r\n\r\nrest" + get("/b"));
    EXPECT_NE(small.read_until("\r\n\r\n").find("409"), std::string::npos);
    EXPECT_NE(small.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
    test::RawClient large(server.port());
    large.send("PUT /early HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n");
    EXPECT_NE(large.read_to_end().find("409"), std::string::npos);
}

TEST_F(HttpServer, EndsBadRequests) {
    test::RunningServer server(handler, limits, log.logger());
    for (const std::string& text :
         {std::string("NONSENSE\r\n\r\n"), "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n",
          get("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
          "GET / HTTP/1.1\r\nA: " + std::string(70000, 'a')}) {
        test::RawClient client(server.port());
        client.send(text);
        EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.0 400 ")) << text.substr(0, 40);
    }
    // A million headers: the server stops reading long before.
    test::RawClient endless(server.port());
    endless.send("GET / HTTP/1.1\r\n");
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "A: b\r\n";
    int blocks = 0;
    while (blocks < 1000 && endless.send(many))
        ++blocks;
    EXPECT_LT(blocks, 1000);
}

TEST_F(HttpServer, TellsTheHandlerOfBodiesThatBreak) {
    test::RunningServer server(handler, limits, log.logger());
    const std::string chunked = "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& text :
         {std::string("PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort"), chunked + "5\r\nab",
          chunked + "zz\r\n", chunked + "2\r\nabX\r\n", chunked + std::string(5000, '0'),
          chunked + "ffffffffffffffff\r\n"}) {
        test::RawClient client(server.port());
        client.send(text);
        client.end_sending();
        EXPECT_TRUE(client.is_closed()) << text.substr(48);
    }
    test::RawClient gone(server.port());
    gone.send("PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort");
    gone.reset();
    server.stop();
    EXPECT_GE(handler.failures, 6);
}

TEST_F(HttpServer, GivesAHeadOneLimitHoweverItTrickles) {
    limits.client = TimeLimit::from_float(0.3);
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient client(server.port());
    const auto started = std::chrono::steady_clock::now();
    client.send("GET / HTTP/1.1\r\n");
    while (client.send("A")) {
        timespec pause{0, 5'000'000};
        ::nanosleep(&pause, nullptr);
        if (std::chrono::steady_clock::now() - started > std::chrono::seconds(20)) break;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST_F(HttpServer, DoesNotWorkAheadForWhoeverDoesNotRead) {
    limits.client = TimeLimit::from_float(0.3);
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient client(server.port(), 4096);
    client.send(get("/endless"));
    while (handler.failures == 0)
        std::this_thread::yield();
    EXPECT_GT(handler.poured_bytes, 0u);
    EXPECT_LT(handler.poured_bytes, std::size_t{1} << 20);
}

TEST_F(HttpServer, MakesRoomByClosingWhoeverWaitsLongest) {
    limits.connections_max = 4;
    test::RunningServer server(handler, limits, log.logger());
    std::vector<std::unique_ptr<test::RawClient>> idle;
    for (int i = 0; i < 200; ++i) {
        idle.push_back(std::make_unique<test::RawClient>(server.port()));
        idle.back()->send("GET / HT");
    }
    test::RawClient client(server.port());
    client.send(get("/a"));
    EXPECT_NE(client.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
    EXPECT_TRUE(idle.front()->is_closed());
    std::size_t connections = 0;
    server.on_its_thread([&](Server& it) { connections = it.connections(); });
    EXPECT_LE(connections, 4u);
}

TEST_F(HttpServer, ServesANewcomerWhenOneOfTheBusyIsDone) {
    limits.connections_max = 2;
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient first(server.port()), second(server.port());
    for (auto* busy : {&first, &second}) {
        busy->send("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        EXPECT_EQ(busy->read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
        busy->send("1");
    }
    test::RawClient third(server.port());
    third.send(get("/b"));
    first.send("2");
    EXPECT_NE(first.read_until("12").find("200 OK"), std::string::npos);
    EXPECT_NE(third.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
    second.send("2");
    EXPECT_NE(second.read_until("12").find("200 OK"), std::string::npos);
}

TEST_F(HttpServer, StopsWhileRequestsAreUnderWay) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient idle(server.port()), half(server.port()), busy(server.port());
    half.send("GET / HT");
    busy.send("PUT /stream HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n");
    busy.read_until("ping");
    server.stop();
    EXPECT_EQ(handler.failures, 1);
    EXPECT_TRUE(idle.is_closed());
}

TEST_F(HttpServer, FinishesWhatItHasBegun) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient idle(server.port()), busy(server.port());
    idle.send(get("/a"));
    idle.read_until("\r\n\r\n");
    busy.send("PUT /stream HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n");
    busy.read_until("ping");
    server.on_its_thread([](Server& it) { it.finish(); });
    EXPECT_TRUE(idle.is_closed());
    asio::io_context io;
    asio::ip::tcp::socket late(io);
    boost::system::error_code code;
    late.connect({asio::ip::address_v4::loopback(), server.port()}, code);
    EXPECT_EQ(code, asio::error::connection_refused);
    busy.send("4\r\npong\r\n0\r\n\r\n");
    EXPECT_NE(busy.read_to_end().find("pong\r\n0\r\n\r\n"), std::string::npos);
    EXPECT_EQ(handler.failures, 0);
}

TEST_F(HttpServer, TakesLongerHeaderLinesWhereItShall) {
    const auto long_line = get("/a", "A: " + std::string(12000, 'a') + "\r\n");
    for (const std::size_t most : {request_line_bytes_max, std::size_t{20000}}) {
        limits.header_line_bytes_max = most;
        test::RunningServer server(handler, limits, log.logger());
        test::RawClient client(server.port());
        client.send(long_line);
        EXPECT_TRUE(client.read_until("\r\n\r\n")
                        .starts_with(most < 12000 ? "HTTP/1.0 400" : "HTTP/1.1 200"));
    }
}

TEST_F(HttpServer, DropsWhoeverGetsNoAnswer) {
    test::RunningServer server(handler, limits, log.logger());
    test::RawClient client(server.port());
    client.send(get("/silent"));
    EXPECT_TRUE(client.is_closed());
    test::RawClient old(server.port());
    old.send("GET /a HTTP/1.0\r\n\r\n");
    EXPECT_NE(old.read_to_end().find("Connection: close"), std::string::npos);
}

TEST(HttpReply, WritesDatesAsHttpDoes) {
    EXPECT_EQ(http_date(Timestamp{0, 0}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date(Timestamp::parse("1795333043.99999").value()),
              "Sun, 22 Nov 2026 07:37:23 GMT");
}

}  // namespace
}  // namespace fragmend::transport::http
