// The receiving half of a session: the happy script, the same one failing everywhere, any split.
#include "transport/ssync/conversation.hpp"

#include <gtest/gtest.h>

#include <string>

#include "transport/http/chunked.hpp"

namespace fragmend::transport::ssync {
namespace {

using Phase = Conversation::Phase;

const std::string hash_a(32, 'a');
const std::string hash_b(32, 'b');

std::string chunk(std::string_view text) {
    std::string out;
    http::append_chunk(out, text);
    return out;
}

const std::string greeting = chunk("\r\n");
const std::string answer = chunk(":MISSING_CHECK: START\r\n") +
                           chunk(hash_a + " dm\r\n" + hash_b + " m") + chunk("\r\n") +
                           chunk(":MISSING_CHECK: END\r\n");
const std::string verdict =
    chunk(":UPDATES: START\r\n") + chunk(":UPDATES: END\r\n") + std::string(http::last_chunk);

void feed(Conversation& conversation, std::string_view text, std::size_t piece) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
        conversation.feed(as_bytes_view(text.substr(at, piece)));
    }
}

/// A conversation that waits for the wanted list.
Conversation waiting(std::uint64_t offered = 2) {
    Conversation conversation;
    feed(conversation, greeting, greeting.size());
    conversation.offers_ended(offered);
    return conversation;
}

std::string error_of(const Conversation& conversation) {
    return conversation.failed() ? conversation.error().detail : "no error";
}

TEST(SsyncConversation, TakesAWholeSessionInPiecesOfAnySize) {
    for (std::size_t piece = 1; piece <= answer.size(); ++piece) {
        Conversation conversation;
        feed(conversation, greeting, piece);
        EXPECT_EQ(conversation.phase(), Phase::offering);
        conversation.offers_ended(2);
        feed(conversation, answer, piece);
        ASSERT_EQ(conversation.phase(), Phase::updating) << piece;
        const auto wanted = conversation.take_wanted();
        ASSERT_EQ(wanted.size(), 2u);
        EXPECT_EQ(wanted[0].object_hash.hex(), hash_a);
        EXPECT_TRUE(wanted[0].data && wanted[0].meta);
        EXPECT_EQ(wanted[1].object_hash.hex(), hash_b);
        EXPECT_TRUE(!wanted[1].data && wanted[1].meta);
        conversation.updates_ended();
        feed(conversation, verdict, piece);
        EXPECT_EQ(conversation.phase(), Phase::done);
        conversation.peer_closed();
        EXPECT_EQ(conversation.phase(), Phase::done);
    }
}

TEST(SsyncConversation, ACloseAnywhereIsAnEarlyDisconnect) {
    const std::string text = answer + verdict;
    const std::size_t end_of_success = text.size() - http::last_chunk.size() - 2;
    for (std::size_t cut = 0; cut < end_of_success; ++cut) {
        auto conversation = waiting();
        feed(conversation, std::string_view(answer).substr(0, cut), 7);
        conversation.updates_ended();
        if (cut > answer.size())
            feed(conversation, std::string_view(text).substr(answer.size(), cut - answer.size()),
                 7);
        conversation.peer_closed();
        ASSERT_TRUE(conversation.failed()) << cut;
        EXPECT_TRUE(error_of(conversation) == "Early disconnect" ||
                    error_of(conversation).starts_with("Unexpected response: '"))
            << cut << " " << error_of(conversation);
    }
}

TEST(SsyncConversation, TellsABusyReceiverFromABrokenOne) {
    const auto code_of = [](std::string_view line) {
        auto conversation = waiting();
        feed(conversation, chunk(line), 3);
        return conversation.error().code;
    };
    EXPECT_EQ(code_of(":ERROR: 0 '15 seconds: /srv/node/sdb/objects-1/7/.lock-replication'\n"),
              errc::lock_timeout);
    EXPECT_EQ(code_of(":ERROR: 503 b'<html>'\n"), errc::lock_timeout);
    EXPECT_EQ(code_of(":ERROR: 0 'Too many 100 failures to 0 successes'\n"), errc::protocol);
    EXPECT_EQ(code_of(":ERROR: 408 '60.0 seconds: missing_check line'\n"), errc::protocol);
}

TEST(SsyncConversation, AnErrorLineAnywhereIsQuoted) {
    const std::string error = chunk(":ERROR: 0 '15 seconds: /srv/node/sdb/.lock'\n");
    const std::string expected =
        "Unexpected response: \":ERROR: 0 '15 seconds: /srv/node/sdb/.lock'\"";
    Conversation offering;
    feed(offering, greeting + error, 3);
    EXPECT_EQ(error_of(offering), expected);

    auto before_start = waiting();
    feed(before_start, error, 3);
    EXPECT_EQ(error_of(before_start), expected);
    EXPECT_EQ(before_start.error().code, errc::lock_timeout);

    auto in_list = waiting();
    feed(in_list, chunk(":MISSING_CHECK: START\r\n") + error, 3);
    EXPECT_EQ(error_of(in_list), expected);

    auto updating = waiting();
    feed(updating, answer + error, 3);
    EXPECT_EQ(error_of(updating), expected);

    auto at_verdict = waiting();
    feed(at_verdict, answer, 3);
    at_verdict.updates_ended();
    feed(at_verdict, error, 3);
    EXPECT_EQ(error_of(at_verdict), expected);

    auto in_verdict = waiting();
    feed(in_verdict, answer, 3);
    in_verdict.updates_ended();
    feed(in_verdict, chunk(":UPDATES: START\r\n") + error, 3);
    EXPECT_EQ(error_of(in_verdict), expected);
}

TEST(SsyncConversation, WhatIsSaidBehindTheUpdatesJudgesThem) {
    const std::string refused =
        chunk(":ERROR: 500 'ERROR: With :UPDATES: 1 failures to 9 successes'\r\n");
    const auto judged = [](std::string_view said) {
        auto conversation = waiting();
        feed(conversation, answer, 3);
        conversation.updates_ended();
        feed(conversation, said, 3);
        conversation.peer_closed();
        return conversation.judged();
    };
    EXPECT_TRUE(judged(verdict));
    EXPECT_TRUE(judged(refused));
    EXPECT_TRUE(judged(chunk(":UPDATES: START\r\n") + refused));
    EXPECT_FALSE(judged(""));
    EXPECT_FALSE(judged(chunk(":UPDATES: START\r\n")));
    EXPECT_FALSE(judged(chunk(":ERROR: 0 '15 seconds: /srv/node/sdb/.lock'\r\n")));

    auto updating = waiting();
    feed(updating, answer + refused, 3);
    EXPECT_TRUE(updating.failed());
    EXPECT_FALSE(updating.judged());
}

TEST(SsyncConversation, AnErrorWithoutItsLineEndIsStillHeard) {
    auto conversation = waiting();
    feed(conversation, chunk(":ERROR: 503 b'busy'"), 5);
    EXPECT_FALSE(conversation.failed());
    conversation.peer_closed();
    EXPECT_EQ(error_of(conversation), "Unexpected response: \":ERROR: 503 b'busy'\"");
}

TEST(SsyncConversation, TheLastChunkIsAnEndLikeAClose) {
    auto conversation = waiting();
    feed(conversation, http::last_chunk, 1);
    EXPECT_EQ(error_of(conversation), "Early disconnect");
}

TEST(SsyncConversation, AVerdictDuringTheUpdatesIsNotTaken) {
    auto conversation = waiting();
    feed(conversation, answer + verdict, 1000);
    EXPECT_EQ(error_of(conversation), "Unexpected response: ':UPDATES: START'");
}

TEST(SsyncConversation, AnAnswerBeforeTheLastOfferIsNotTaken) {
    Conversation conversation;
    feed(conversation, greeting + answer, 1000);
    EXPECT_EQ(error_of(conversation), "Unexpected response: ':MISSING_CHECK: START'");
}

TEST(SsyncConversation, MoreWantedThanOfferedIsRefused) {
    auto conversation = waiting(1);
    feed(conversation, answer, 1000);
    EXPECT_EQ(error_of(conversation), "More objects wanted than offered");
}

TEST(SsyncConversation, TheLastLineAboutAnObjectCounts) {
    auto conversation = waiting(3);
    feed(conversation,
         chunk(":MISSING_CHECK: START\r\n" + hash_a + " d\r\n" + hash_b + " d\r\n" + hash_a +
               " m\r\n:MISSING_CHECK: END\r\n"),
         1000);
    const auto wanted = conversation.take_wanted();
    ASSERT_EQ(wanted.size(), 2u);
    EXPECT_EQ(wanted[0].object_hash.hex(), hash_a);
    EXPECT_FALSE(wanted[0].data);
    EXPECT_TRUE(wanted[0].meta);
}

TEST(SsyncConversation, LongAndBlankLinesAreBounded) {
    auto endless = waiting();
    for (int i = 0; i < 100 && !endless.failed(); ++i)
        feed(endless, chunk(std::string(1024, 'x')), 4096);
    EXPECT_EQ(error_of(endless), "Unexpected response: '" + std::string(1024, 'x') + "'");
    auto blank = waiting();
    for (int i = 0; i < 100 && !blank.failed(); ++i)
        feed(blank, chunk(std::string(100, '\n')), 4096);
    EXPECT_TRUE(blank.failed());
}

TEST(SsyncConversation, NotChunkedIsRefused) {
    auto conversation = waiting();
    feed(conversation, ":MISSING_CHECK: START\r\n", 4096);
    EXPECT_EQ(conversation.error().code, errc::protocol);
}

TEST(SsyncConversation, AcceptsLinesThatEndInLfOnly) {
    auto conversation = waiting();
    feed(conversation, chunk(":MISSING_CHECK: START\n" + hash_a + " d\n:MISSING_CHECK: END\n"), 1);
    EXPECT_EQ(conversation.phase(), Phase::updating);
}

}  // namespace
}  // namespace fragmend::transport::ssync
