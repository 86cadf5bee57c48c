// Whole SSYNC sessions against a scripted receiver.
#include "transport/ssync/sender.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/recorded_log.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/transport/recorded_answers.hpp"
#include "tests/transport/ssync/scripted_objects.hpp"

namespace fragmend::transport::ssync {
namespace {

using test::chunk;
using test::PeerConnection;
using test::PeerScript;
using ::testing::ElementsAre;

const std::string head_ok =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nX-Backend-Accept-No-Commit: "
    "True\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
const std::string greeting = chunk("\r\n");
const std::string offers_end = ":MISSING_CHECK: END\r\n\r\n";
const std::string updates_end_message = ":UPDATES: END\r\n\r\n";
const std::string verdict = chunk(":UPDATES: START\r\n") + chunk(":UPDATES: END\r\n") + "0\r\n\r\n";

std::string answer(std::string_view lines) {
    return chunk(":MISSING_CHECK: START\r\n") + (lines.empty() ? "" : chunk(lines)) +
           chunk("\r\n") + chunk(":MISSING_CHECK: END\r\n");
}

std::string put_head(std::size_t length) {
    return chunk("PUT /a/c/o\r\nContent-Length: " + std::to_string(length) +
                 "\r\nX-Timestamp: 1.00000\r\n\r\n");
}

struct Fixture {
    explicit Fixture(PeerScript script, int receive_buffer_bytes = 0)
        : objects(io), peer({std::move(script)}, receive_buffer_bytes) {
        request.watch = &watch;
        request.node.replication_ip = "127.0.0.1";
        request.node.replication_port = peer.port();
        request.node.device = "sdb";
        request.partition = "17";
        request.policy_index = 1;
        request.frag_index = 2;
        request.timeouts.conn = TimeLimit::from_float(20);
        request.timeouts.node = TimeLimit::from_float(20);
        request.timeouts.http = TimeLimit::from_int(20);
    }
    SessionResult run() {
        Sender sender(io.get_executor(), request, objects, log.logger());
        auto result = test::run_coroutine(io, sender.run());
        peer.finish();
        return result;
    }
    std::string name() const { return request.node.replication_name() + "/17 "; }
    void expect_failure(const SessionResult& result, std::string_view detail) {
        EXPECT_FALSE(result.success);
        ASSERT_TRUE(result.error.has_value());
        EXPECT_EQ(result.error->detail, detail);
    }

    asio::io_context io;
    test::RecordedLog log;
    ScriptedObjects objects;
    RecordedAnswers watch;
    SenderRequest request;
    test::ScriptedPeer peer;
};

/// A receiver that wants `lines`, keeps what follows, and is content.
PeerScript content(std::string lines, std::string& updates) {
    return [lines = std::move(lines), &updates](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send(head_ok + greeting);
        peer.read_until(offers_end);
        peer.send(answer(lines));
        updates = peer.read_until(updates_end_message);
        peer.send(verdict);
        EXPECT_EQ(peer.read_to_end(), "0\r\n\r\n");
    };
}

/// A receiver that wants `lines` and then plays `rest`.
PeerScript wanting(std::string lines, PeerScript rest) {
    return [lines = std::move(lines), rest = std::move(rest)](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send(head_ok + greeting);
        peer.read_until(offers_end);
        peer.send(answer(lines));
        rest(peer);
    };
}

TEST(SsyncSender, SpeaksAWholeSession) {
    std::string head, offers, updates;
    Fixture fixture([&](PeerConnection& peer) {
        head = peer.read_until("\r\n\r\n");
        peer.send(head_ok + greeting);
        offers = peer.read_until(offers_end);
        peer.send(answer(hash_a + " dm\r\n" + hash_b + " d"));
        updates = peer.read_until(updates_end_message);
        peer.send(verdict);
        EXPECT_EQ(peer.read_to_end(), "0\r\n\r\n");
    });
    fixture.objects.serve(put(5, {"abc", "de"}), bodiless("POST"));
    fixture.objects.serve(bodiless("DELETE"));
    fixture.objects.serve(put(0, {}));
    const auto result = fixture.run();
    EXPECT_TRUE(result.success);
    EXPECT_FALSE(result.error.has_value());
    EXPECT_EQ(result.offered, 2u);
    EXPECT_EQ(result.wanted, 2u);
    EXPECT_EQ(result.sub_requests, 4u);
    EXPECT_EQ(result.body_bytes, 5u);
    EXPECT_EQ(fixture.objects.accepts_non_durable, true);
    ASSERT_EQ(fixture.watch.answers.size(), 1u);
    EXPECT_GT(fixture.watch.answers[0].second.count(), 0);
    EXPECT_EQ(fixture.watch.open, 0u);
    EXPECT_EQ(head,
              "SSYNC /sdb/17 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(fixture.peer.port()) +
                  "\r\nAccept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"
                  "X-Backend-Storage-Policy-Index: 1\r\nX-Backend-Ssync-Frag-Index: 2\r\n"
                  "X-Backend-Ssync-Node-Index: 2\r\n\r\n");
    EXPECT_EQ(offers, chunk(":MISSING_CHECK: START\r\n") + chunk(hash_a + " 1795333043.19771\r\n") +
                          chunk(hash_b + " 1795333043.19771\r\n") +
                          chunk(":MISSING_CHECK: END\r\n"));
    EXPECT_EQ(updates, chunk(":UPDATES: START\r\n") + put_head(5) + chunk("abc") + chunk("de") +
                           chunk("POST /a/c/o\r\nX-Timestamp: 2.00000\r\n\r\n") +
                           chunk("DELETE /a/c/o\r\nX-Timestamp: 2.00000\r\n\r\n") + put_head(0) +
                           chunk(":UPDATES: END\r\n"));
    EXPECT_TRUE(fixture.log.lines.empty());
}

TEST(SsyncSender, NothingWantedIsASuccess) {
    std::string updates;
    Fixture fixture(content("", updates));
    EXPECT_TRUE(fixture.run().success);
    EXPECT_EQ(updates, chunk(":UPDATES: START\r\n") + chunk(":UPDATES: END\r\n"));
}

TEST(SsyncSender, SendsLargeBodiesWhole) {
    const std::string piece(300 * 1000, 'x');
    std::string updates;
    Fixture fixture(content(hash_a + " d", updates));
    fixture.objects.serve(put(600 * 1000 + 1, {piece, piece, "y"}));
    const auto result = fixture.run();
    EXPECT_TRUE(result.success);
    EXPECT_TRUE(updates == chunk(":UPDATES: START\r\n") + put_head(600 * 1000 + 1) + chunk(piece) +
                               chunk(piece) + chunk("y") + chunk(":UPDATES: END\r\n"));
}

TEST(SsyncSender, OffersThousands) {
    std::string offers;
    Fixture fixture([&](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send(head_ok + greeting);
        offers = peer.read_until(offers_end);
        peer.send(answer(""));
        peer.read_until(updates_end_message);
        peer.send(verdict);
        peer.read_to_end();
    });
    fixture.objects.offers = 20000;
    const auto result = fixture.run();
    EXPECT_TRUE(result.success);
    EXPECT_EQ(result.offered, 20000u);
    const std::size_t line = chunk(hash_a + " 1795333043.19771\r\n").size();
    EXPECT_EQ(offers.size(), 20000 * line + chunk(":MISSING_CHECK: START\r\n").size() +
                                 chunk(":MISSING_CHECK: END\r\n").size());
}

TEST(SsyncSender, WarnsAboutAReceiverThatWantsDurableOnly) {
    Fixture fixture([](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    });
    fixture.request.include_non_durable = true;
    fixture.run();
    EXPECT_EQ(fixture.objects.accepts_non_durable, false);
    EXPECT_EQ(fixture.log.lines.at(0), "WARNING ssync receiver 127.0.0.1:" +
                                           std::to_string(fixture.request.node.replication_port) +
                                           " does not accept non-durable fragments");
}

TEST(SsyncSender, NamesRefusals) {
    const auto refuse = [](std::string status, std::string body) {
        Fixture fixture([=](PeerConnection& peer) {
            peer.read_until("\r\n\r\n");
            peer.send("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\n\r\n" + body);
            peer.read_to_end();
        });
        auto result = fixture.run();
        EXPECT_THAT(fixture.log.lines,
                    ElementsAre("ERROR " + fixture.name() + result.error->detail));
        EXPECT_TRUE(fixture.watch.answers.empty()) << "no measure of what others take to begin";
        EXPECT_EQ(fixture.watch.missing.size(), 1u);
        return *result.error;
    };
    EXPECT_EQ(to_string(refuse("503 Busy", "No policy with index 1")),
              "bad_status: Expected status 200; got 503 (b'No policy with index 1')");
    EXPECT_EQ(to_string(refuse("507 Full", "")), "not_mounted: Expected status 200; got 507 (b'')");
    EXPECT_EQ(refuse("500 X", std::string(5000, 'x')).detail.size(),
              std::string("Expected status 200; got 500 (b'')").size() + 1024);
}

TEST(SsyncSender, NamesARefusedConnection) {
    Fixture fixture([](PeerConnection&) {});
    fixture.request.node.replication_port = 1;
    const auto result = fixture.run();
    EXPECT_FALSE(result.success);
    EXPECT_THAT(
        fixture.log.lines,
        ElementsAre("ERROR 127.0.0.1:1/sdb/17 EXCEPTION in ssync.Sender: Connection refused"));
    EXPECT_TRUE(fixture.watch.missing.empty());
    EXPECT_EQ(fixture.watch.open, 0u);
}

TEST(SsyncSender, EveryWaitForTheReceiverHasItsWords) {
    const auto limit = TimeLimit::from_float(0.5);
    const PeerScript hang = [](PeerConnection& peer) { peer.hang(); };
    {
        Fixture fixture(hang);
        fixture.request.timeouts.node = limit;
        fixture.expect_failure(fixture.run(), "0.5 seconds: connect receive");
        ASSERT_EQ(fixture.watch.missing.size(), 1u);
        EXPECT_GE(fixture.watch.missing[0].second, std::chrono::milliseconds(500));
        EXPECT_EQ(fixture.watch.open, 0u);
    }
    struct Case {
        std::string sent, words;
    };
    const std::string start = chunk(":MISSING_CHECK: START\r\n");
    for (const Case& one :
         {Case{"", "missing_check start wait"}, Case{start, "missing_check line wait"},
          Case{start + chunk(hash_a + " d"), "missing_check line wait"},
          Case{answer(""), "updates start wait"},
          Case{answer("") + "|" + chunk(":UPDATES: START\r\n"), "updates line wait"}}) {
        Fixture fixture([&](PeerConnection& peer) {
            peer.read_until("\r\n\r\n");
            peer.send(head_ok + greeting);
            peer.read_until(offers_end);
            const auto bar = one.sent.find('|');
            peer.send(one.sent.substr(0, bar));
            if (bar != std::string::npos) {
                peer.read_until(updates_end_message);
                peer.send(one.sent.substr(bar + 1));
            }
            peer.hang();
        });
        fixture.request.timeouts.http = limit;
        const auto result = fixture.run();
        fixture.expect_failure(result, "0.5 seconds: " + one.words);
        EXPECT_EQ(result.error->code, errc::timeout);
        EXPECT_THAT(fixture.log.lines,
                    ElementsAre("ERROR " + fixture.name() + "0.5 seconds: " + one.words));
    }
}

TEST(SsyncSender, AClosingReceiverIsAnEarlyDisconnect) {
    Fixture fixture([](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send(head_ok + greeting);
        peer.read_until(offers_end);
        peer.send(chunk(":MISSING_CHECK: START\r\n"));
    });
    fixture.expect_failure(fixture.run(), "Early disconnect");
    EXPECT_THAT(fixture.log.lines, ElementsAre("ERROR " + fixture.name() + "Early disconnect"));
}

const std::string lock_error = chunk(":ERROR: 0 '15 seconds: /srv/node/sdb/.lock'\n");
const std::string lock_words =
    "Unexpected response: \":ERROR: 0 '15 seconds: /srv/node/sdb/.lock'\"";

TEST(SsyncSender, HearsAnErrorBeforeTheWantedList) {
    Fixture fixture([](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        peer.send(head_ok + greeting + lock_error);
    });
    fixture.objects.offers = 20000;
    fixture.expect_failure(fixture.run(), lock_words);
}

TEST(SsyncSender, HearsAnErrorWhileItWaitsForTheNextObject) {
    Fixture fixture(wanting(hash_a + " d", [](PeerConnection& peer) {
        peer.read_until(put_head(5) + chunk("abcde"));
        peer.send(lock_error);
        EXPECT_EQ(peer.read_to_end(), "");
    }));
    fixture.objects.serve(put(5, {"abcde"}));
    fixture.objects.block_at = 1;
    fixture.expect_failure(fixture.run(), lock_words);
    EXPECT_EQ(fixture.objects.cancels, 1);
}

TEST(SsyncSender, HearsAnErrorWhileTheReceiverTakesNothing) {
    Fixture fixture(wanting(hash_a + " d",
                            [](PeerConnection& peer) {
                                peer.send(lock_error);
                                peer.hang();
                            }),
                    4096);
    fixture.objects.serve(
        put(64'000'000, std::vector<std::string>(64, std::string(1'000'000, 'x'))));
    const auto result = fixture.run();
    fixture.expect_failure(result, lock_words);
    EXPECT_EQ(result.sub_requests, 0u);
}

TEST(SsyncSender, HearsAnErrorEvenWhenTheReceiverResets) {
    for (int round = 0; round < 20; ++round) {
        Fixture fixture(wanting(hash_a + " d", [](PeerConnection& peer) {
            peer.read_until("X-Timestamp");
            peer.send(lock_error);  // Unread bytes make the close a reset.
        }));
        fixture.objects.serve(
            put(64'000'000, std::vector<std::string>(64, std::string(1'000'000, 'x'))));
        fixture.expect_failure(fixture.run(), lock_words);
    }
}

TEST(SsyncSender, AReceiverThatResetsWithoutAWordIsNamed) {
    Fixture fixture(wanting(hash_a + " d", [](PeerConnection& peer) {
        peer.read_until("X-Timestamp");
        peer.reset();
    }));
    fixture.objects.serve(
        put(64'000'000, std::vector<std::string>(64, std::string(1'000'000, 'x'))));
    const auto result = fixture.run();
    EXPECT_FALSE(result.success);
    EXPECT_EQ(result.error->code, errc::disconnected);
}

TEST(SsyncSender, AReceiverThatStopsReadingRunsIntoTheLimit) {
    Fixture fixture(wanting(hash_a + " d", [](PeerConnection& peer) { peer.hang(); }), 4096);
    fixture.request.timeouts.node = TimeLimit::from_float(1);
    fixture.objects.serve(
        put(64'000'000, std::vector<std::string>(64, std::string(1'000'000, 'x'))));
    fixture.expect_failure(fixture.run(), "1.0 second: send_put chunk");
}

/// What a receiver gets when the one PUT of a session is `request`, and what the session says.
struct Broken {
    std::string received;
    SessionResult result;
};

Broken send_broken(SubRequest request) {
    Broken broken;
    Fixture fixture(wanting(hash_a + " d",
                            [&](PeerConnection& peer) { broken.received = peer.read_to_end(); }));
    fixture.objects.serve(std::move(request));
    broken.result = fixture.run();
    return broken;
}

TEST(SsyncSender, ABodyOfTheWrongLengthNeverLooksWhole) {
    const std::string big(100 * 1000, 'x');
    struct Case {
        std::size_t length;
        std::vector<std::string> pieces;
    };
    for (const Case& one :
         {Case{6, {"abc", "de"}}, Case{4, {"abc", "de"}}, Case{5, {"abc", "de", "f"}},
          Case{0, {"a"}}, Case{200'001, {big, big}}, Case{199'999, {big, big}},
          Case{200'000, {big, big, "x"}}, Case{100'000, {big, big}}}) {
        const auto broken = send_broken(put(one.length, one.pieces));
        EXPECT_FALSE(broken.result.success);
        EXPECT_EQ(broken.result.error->detail, "Sent data length does not match content-length");
        EXPECT_FALSE(broken.received.ends_with("0\r\n\r\n"));
        const auto body_bytes = std::count(broken.received.begin(), broken.received.end(), 'x');
        if (one.length > 10)
            EXPECT_LT(body_bytes, static_cast<std::ptrdiff_t>(one.length));
        else
            EXPECT_EQ(broken.received, chunk(":UPDATES: START\r\n"));
    }
}

TEST(SsyncSender, AnErrorInALargeBodyEndsTheSession) {
    const Error bad{errc::wrong_bytes, "survivor 3 is not what its server announced"};
    const std::string big(100 * 1000, 'x');
    for (const std::vector<std::string>& pieces :
         {std::vector<std::string>{big}, std::vector<std::string>{big, big}}) {
        const auto broken = send_broken(put(200'000, pieces, bad));
        EXPECT_FALSE(broken.result.success);
        EXPECT_EQ(broken.result.error->code, errc::wrong_bytes);
        EXPECT_EQ(broken.result.sub_requests, 0u);
        EXPECT_FALSE(broken.received.ends_with("0\r\n\r\n"));
        EXPECT_LT(std::count(broken.received.begin(), broken.received.end(), 'x'), 200'000);
    }
}

TEST(SsyncSender, AnErrorBeforeAnythingWasSentLeavesTheObjectOut) {
    const Error bad{errc::too_few_fragments, "Unable to reconstruct EC archive"};
    std::string updates;
    Fixture fixture(content(hash_a + " d", updates));
    fixture.objects.serve(put(5, {}, bad), bodiless("POST"));
    fixture.objects.serve(put(5, {"abcde"}, bad), bodiless("POST"));
    fixture.objects.serve(put(3, {"abc"}));
    const auto result = fixture.run();
    EXPECT_TRUE(result.success);
    EXPECT_EQ(result.skipped, 2u);
    EXPECT_EQ(result.sub_requests, 1u);
    EXPECT_EQ(updates, chunk(":UPDATES: START\r\n") + put_head(3) + chunk("abc") +
                           chunk(":UPDATES: END\r\n"));
}

TEST(SsyncSender, AHeaderThatBreaksItsLineIsNeverSent) {
    auto request = put(3, {"abc"});
    request.headers.emplace_back("X-Object-Meta-A", "b\r\n\r\nDELETE /a/c/o");
    const auto broken = send_broken(std::move(request));
    EXPECT_EQ(broken.result.error->code, errc::bad_metadata);
    EXPECT_EQ(broken.received, chunk(":UPDATES: START\r\n"));
}

TEST(SsyncSender, StopEndsASessionThatWaits) {
    Fixture fixture(wanting(hash_a + " d", [](PeerConnection& peer) { peer.read_to_end(); }));
    fixture.objects.block_at = 0;
    Sender sender(fixture.io.get_executor(), fixture.request, fixture.objects,
                  fixture.log.logger());
    fixture.objects.on_block = [&] { asio::post(fixture.io, [&] { sender.stop(); }); };
    const auto result = test::run_coroutine(fixture.io, sender.run());
    EXPECT_EQ(result.error->code, errc::cancelled);
    EXPECT_EQ(fixture.objects.cancels, 1);
}

TEST(SsyncSender, TakesTheAnswerInSingleBytes) {
    Fixture fixture([](PeerConnection& peer) {
        const auto trickle = [&](const std::string& text) {
            for (char c : text)
                peer.send(std::string_view(&c, 1));
        };
        peer.read_until("\r\n\r\n");
        trickle(head_ok + greeting);
        peer.read_until(offers_end);
        trickle(answer(hash_a + " dm\r\n" + hash_b + " m"));
        peer.read_until(updates_end_message);
        trickle(verdict);
        peer.read_to_end();
    });
    EXPECT_TRUE(fixture.run().success);
    ASSERT_EQ(fixture.objects.asked_for.size(), 2u);
    EXPECT_TRUE(fixture.objects.asked_for[1].meta && !fixture.objects.asked_for[1].data);
}

}  // namespace
}  // namespace fragmend::transport::ssync
