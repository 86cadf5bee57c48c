// Gathering from scripted fragment servers.
#include "transport/fragments/gather.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "tests/support/recorded_log.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/transport/recorded_answers.hpp"

namespace fragmend::transport::fragments {
namespace {

using test::PeerConnection;
using test::PeerScript;

constexpr std::string_view head_end = "\r\n\r\n";

std::string head_of(int index, std::size_t bytes, std::string_view timestamp = "1795333043.19771") {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nEtag: \"" + std::string(32, 'a') +
           "\"\r\nContent-Length: " + std::to_string(bytes) +
           "\r\nX-Backend-Timestamp: 1795333099.00000\r\nX-Backend-Data-Timestamp: " +
           std::string(timestamp) + "\r\nX-Object-Sysmeta-Ec-Frag-Index: " + std::to_string(index) +
           "\r\nX-Object-Sysmeta-Ec-Etag: etag\r\n\r\n";
}

std::string body_of(int index, std::size_t bytes) {
    return std::string(bytes, static_cast<char>('A' + index));
}

/// Answers as a healthy server, as often as it is asked on this connection.
PeerScript serve(int index, std::size_t bytes) {
    return [=](PeerConnection& peer) {
        while (!peer.read_until(head_end).empty()) {
            peer.send(head_of(index, bytes) + body_of(index, bytes));
        }
    };
}

/// Missing: fragment 5 of 4+2, on whoever; fragment 0 is local; peers 1 to 4 may be asked.
struct Fixture {
    explicit Fixture(std::size_t archive_bytes)
        : client(io.get_executor(), "obj-reconstructor 1", clock) {
        request.policy_index = 1;
        request.partition = "17";
        request.object_path = "/a/c/o\xc3\xa9";
        request.wanted = 5;
        request.k = 4;
        request.n = 6;
        request.data_timestamp = Timestamp::parse("1795333043.19771").value();
        request.ec_etag = "etag";
        request.archive_bytes = archive_bytes;
        request.whole_bodies_max = archive_bytes <= 64 * 1024 ? 6 : 0;
        request.local_index = 0;
        request.choose = [](std::span<const std::uint8_t> available)
            -> std::optional<std::vector<std::uint8_t>> {
            if (available.size() < 4) return std::nullopt;
            return std::vector<std::uint8_t>(available.begin(), available.begin() + 4);
        };
        request.watch = &watch;
        limits.hedge_delay = std::chrono::milliseconds(0);
        limits.timeouts.conn = TimeLimit::from_float(20);
    }
    ~Fixture() { client.pool().close(); }

    void add(std::uint8_t index, std::vector<PeerScript> scripts) {
        peers.emplace_back(std::move(scripts));
        Candidate candidate;
        candidate.expected_index = index;
        candidate.node.id = index;
        candidate.node.replication_ip = "127.0.0.1";
        candidate.node.replication_port = peers.back().port();
        candidate.node.device = "sd" + std::to_string(index);
        request.candidates.push_back(candidate);
    }
    Result<std::vector<GatheredSource>> run() {
        return test::run_coroutine(io, gather(client, request, limits, log.logger()));
    }
    std::string read_all(Survivor& survivor, std::size_t piece_bytes) {
        std::string all;
        std::vector<std::byte> piece(piece_bytes);
        for (;;) {
            auto got = test::run_coroutine(io, survivor.read(piece));
            if (got.has_error()) return to_string(got.error());
            all += as_text(ByteView(piece).first(*got));
            if (*got < piece.size()) return all;
        }
    }
    /// What every survivor of a set holds must be the fragment that it claims.
    void expect_bodies(std::vector<GatheredSource>& sources) {
        for (GatheredSource& source : sources) {
            if (source.survivor == nullptr) {
                EXPECT_EQ(source.index, 0);
                continue;
            }
            EXPECT_EQ(source.survivor->index(), source.index);
            EXPECT_EQ(source.survivor->announced_md5(), std::string(32, 'a'));
            EXPECT_TRUE(read_all(*source.survivor, 777) ==
                        body_of(source.index, request.archive_bytes));
        }
    }

    asio::io_context io;
    SystemClock clock;
    http::Client client;
    test::RecordedLog log;
    RecordedAnswers watch;
    GatherRequest request;
    GatherLimits limits;
    std::deque<test::ScriptedPeer> peers;
};

TEST(Gather, ReadsSmallAndLargeArchives) {
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{64 * 1024},
          std::size_t{64 * 1024 + 1}, std::size_t{1000 * 1000}}) {
        Fixture fixture(bytes);
        for (std::uint8_t i = 1; i < 4; ++i)
            fixture.add(i, {serve(i, bytes)});
        auto sources = fixture.run();
        ASSERT_TRUE(sources.has_value()) << bytes;
        ASSERT_EQ(sources->size(), 4u);
        fixture.expect_bodies(*sources);
        EXPECT_EQ(fixture.client.pool().idle(), 3u) << bytes;
    }
}

TEST(Gather, ReceivesNoMoreBodiesWholeThanThereIsRoomFor) {
    for (const std::size_t room : {std::size_t{3}, std::size_t{2}}) {
        Fixture fixture(5000);
        fixture.request.whole_bodies_max = room;
        for (std::uint8_t i = 1; i < 3; ++i)
            fixture.add(i, {serve(i, 5000)});
        fixture.add(3, {[](PeerConnection& peer) {
                        peer.read_until(head_end);
                        peer.send(head_of(3, 5000) + body_of(3, 4000));
                    }});
        fixture.add(4, {serve(4, 5000)});
        auto sources = fixture.run();
        ASSERT_TRUE(sources.has_value());
        // With room its early end shows, and another one takes its place; else its head is enough.
        const bool took_third =
            std::ranges::any_of(*sources, [](const auto& one) { return one.index == 3; });
        EXPECT_EQ(took_third, room == 2);
    }
}

TEST(Gather, TellsWhoHasNone) {
    Fixture fixture(10);
    fixture.add(1, {[](PeerConnection& peer) {
                    peer.read_until(head_end);
                    peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                    peer.read_to_end();
                }});
    for (std::uint8_t i = 2; i < 5; ++i)
        fixture.add(i, {serve(i, 10)});
    std::vector<std::uint32_t> missing;
    fixture.request.on_missing = [&](const Node& node) { missing.push_back(node.id); };
    ASSERT_TRUE(fixture.run().has_value());
    EXPECT_EQ(missing, std::vector<std::uint32_t>{1});
}

TEST(Gather, AsksForTheAnnouncedVersion) {
    Fixture fixture(10);
    for (std::uint8_t i = 1; i < 4; ++i) {
        fixture.add(i, {[i](PeerConnection& peer) {
                        const auto head = peer.read_until(head_end);
                        EXPECT_TRUE(head.starts_with("GET /sd" + std::to_string(i) +
                                                     "/17/a/c/o%C3%A9 HTTP/1.1\r\n"));
                        EXPECT_NE(head.find("X-Backend-Fragment-Preferences: [{\"timestamp\": "
                                            "\"1795333043.19771\", \"exclude\": []}]\r\n"),
                                  std::string::npos);
                        peer.send(head_of(i, 10) + body_of(i, 10));
                        peer.read_to_end();
                    }});
    }
    auto sources = fixture.run();
    ASSERT_TRUE(sources.has_value());
}

TEST(Gather, UsesConnectionsAgain) {
    Fixture fixture(100);
    for (std::uint8_t i = 1; i < 4; ++i)
        fixture.add(i, {serve(i, 100)});
    for (int round = 0; round < 20; ++round) {
        auto sources = fixture.run();
        ASSERT_TRUE(sources.has_value());
        fixture.expect_bodies(*sources);
        ASSERT_EQ(fixture.client.pool().idle(), 3u);
    }
}

TEST(Gather, ReplacesWhoFails) {
    const std::string busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
    const std::vector<PeerScript> failures{
        [&](PeerConnection& peer) {
            peer.read_until(head_end);
            peer.send(busy);
            peer.read_to_end();
        },
        [](PeerConnection& peer) { peer.read_until(head_end); },
        [](PeerConnection& peer) {
            peer.read_until(head_end);
            peer.reset();
        },
        [](PeerConnection& peer) {
            peer.read_until(head_end);
            peer.send("nonsense\r\n\r\n");
        },
        [](PeerConnection& peer) {
            peer.read_until(head_end);
            peer.send(head_of(1, 100) + "short");
        },
        [](PeerConnection& peer) {
            peer.read_until(head_end);
            peer.send(head_of(1, 99) + body_of(1, 99));
        },
        [](PeerConnection& peer) {
            peer.read_until(head_end);
            peer.send(head_of(1, 100, "1795333043.19772") + body_of(1, 100));
        },
    };
    for (std::size_t failure = 0; failure < failures.size(); ++failure) {
        Fixture fixture(100);
        fixture.add(1, {failures[failure]});
        for (std::uint8_t i = 2; i < 5; ++i)
            fixture.add(i, {serve(i, 100)});
        auto sources = fixture.run();
        ASSERT_TRUE(sources.has_value()) << failure;
        for (const GatheredSource& source : *sources)
            EXPECT_NE(source.index, 1) << failure;
        fixture.expect_bodies(*sources);
    }
}

TEST(Gather, HedgesAgainstASlowPeer) {
    Fixture fixture(100);
    fixture.limits.hedge_delay = std::chrono::milliseconds(20);
    fixture.add(1, {[](PeerConnection& peer) { peer.hang(); }});
    for (std::uint8_t i = 2; i < 5; ++i)
        fixture.add(i, {serve(i, 100)});
    auto sources = fixture.run();
    ASSERT_TRUE(sources.has_value());
    fixture.expect_bodies(*sources);
    EXPECT_EQ(fixture.watch.answers.size(), 3u);
    ASSERT_EQ(fixture.watch.missing.size(), 1u);
    EXPECT_EQ(fixture.watch.missing[0].first.id, 1u);
    EXPECT_GE(fixture.watch.missing[0].second, fixture.limits.hedge_delay);
    EXPECT_EQ(fixture.watch.open, 0u);
}

TEST(Gather, GivesUpOnAHangAndSaysSo) {
    Fixture fixture(100);
    fixture.limits.timeouts.node = TimeLimit::from_float(0.05);
    fixture.add(1, {[](PeerConnection& peer) { peer.hang(); }});
    for (std::uint8_t i = 2; i < 4; ++i)
        fixture.add(i, {serve(i, 100)});
    const auto sources = fixture.run();
    ASSERT_TRUE(sources.has_error());
    EXPECT_EQ(sources.error().code, errc::too_few_fragments);
    const std::string name = fixture.request.candidates[0].node.replication_name();
    EXPECT_THAT(fixture.log.lines,
                ::testing::Contains("ERROR Trying to GET " + name +
                                    "/17/a/c/o\xc3\xa9 policy#1: Timeout (0.05s)"));
    EXPECT_EQ(fixture.watch.answers.size(), 2u);
    ASSERT_EQ(fixture.watch.missing.size(), 1u);
    EXPECT_EQ(fixture.watch.missing[0].first.id, 1u);
    EXPECT_GE(fixture.watch.missing[0].second, std::chrono::milliseconds(50));
}

TEST(Gather, AShortLargeBodyIsAnErrorOfItsReader) {
    const std::size_t bytes = 200 * 1000;
    Fixture fixture(bytes);
    fixture.add(1, {[=](PeerConnection& peer) {
                    peer.read_until(head_end);
                    peer.send(head_of(1, bytes) + body_of(1, bytes - 1));
                }});
    for (std::uint8_t i = 2; i < 4; ++i)
        fixture.add(i, {serve(i, bytes)});
    auto sources = fixture.run();
    ASSERT_TRUE(sources.has_value());
    for (GatheredSource& source : *sources) {
        if (source.index != 1) continue;
        EXPECT_EQ(fixture.read_all(*source.survivor, 100 * 1000),
                  "disconnected: a fragment archive that ended early");
    }
}

TEST(Gather, ABodyThatStopsRunsIntoItsLimit) {
    const std::size_t bytes = 200 * 1000;
    Fixture fixture(bytes);
    fixture.limits.timeouts.node = TimeLimit::from_int(1);
    for (std::uint8_t i = 1; i < 4; ++i) {
        fixture.add(i, {[=](PeerConnection& peer) {
                        peer.read_until(head_end);
                        peer.send(head_of(i, bytes) + body_of(i, 10));
                        peer.hang();
                    }});
    }
    auto sources = fixture.run();
    ASSERT_TRUE(sources.has_value());
    EXPECT_EQ(fixture.read_all(*(*sources)[1].survivor, bytes), "timeout: Timeout (1s)");
}

TEST(Gather, ADroppedSurvivorClosesItsConnection) {
    const std::size_t bytes = 200 * 1000;
    Fixture fixture(bytes);
    for (std::uint8_t i = 1; i < 4; ++i)
        fixture.add(i, {serve(i, bytes)});
    auto sources = fixture.run();
    ASSERT_TRUE(sources.has_value());
    sources->clear();
    EXPECT_EQ(fixture.client.pool().idle(), 0u);
}

Awaitable<void> gather_into(Fixture& fixture, std::optional<Error>& ended) {
    auto gathered =
        co_await gather(fixture.client, fixture.request, fixture.limits, fixture.log.logger());
    ended = gathered.has_error() ? gathered.error() : Error{errc::internal, "gathered"};
}

Awaitable<bool> hurry_a_gathering(Fixture& fixture, std::optional<Error>& ended) {
    TaskGroup group(fixture.io.get_executor());
    asio::cancellation_signal hurry;
    group.spawn(gather_into(fixture, ended), hurry.slot());
    hurry.emit(asio::cancellation_type::terminal);
    co_await group.join();
    co_return true;
}

TEST(Gather, EndsAtOnceWhenItIsHurriedWhilePeersAreSilent) {
    Fixture fixture(100);
    fixture.limits.timeouts.node = TimeLimit::from_int(600);
    for (std::uint8_t index = 1; index <= 4; ++index)
        fixture.add(index, {[](PeerConnection& peer) { peer.read_to_end(); }});
    std::optional<Error> ended;
    EXPECT_TRUE(test::run_coroutine(fixture.io, hurry_a_gathering(fixture, ended)));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, errc::cancelled);
    EXPECT_TRUE(fixture.watch.missing.empty()) << "it was not waited for";
    EXPECT_EQ(fixture.watch.open, 0u);
}

TEST(Gather, WhoHangsUpOrTakesNoConnectionIsNotSlow) {
    Fixture fixture(100);
    fixture.add(1, {[](PeerConnection& peer) { peer.read_until(head_end); }});
    fixture.add(2, {});
    fixture.request.candidates.back().node.replication_port = 1;
    for (const std::uint8_t i : {std::uint8_t{3}, std::uint8_t{4}, std::uint8_t{1}})
        fixture.add(i, {serve(i, 100)});
    ASSERT_TRUE(fixture.run().has_value());
    EXPECT_EQ(fixture.watch.answers.size(), 3u);
    EXPECT_TRUE(fixture.watch.missing.empty());
    EXPECT_EQ(fixture.watch.open, 0u);
}

}  // namespace
}  // namespace fragmend::transport::fragments
