// Whom to ask, what to use, what to say: scripts of answers without sockets.
#include "transport/fragments/gather_decision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/recorded_log.hpp"
#include "tests/support/seed.hpp"

namespace fragmend::transport::fragments {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Outcome = GatherDecision::Outcome;

const std::string md5(32, 'a');
const std::string quoted_md5 = '"' + md5 + '"';

Node node(std::uint32_t id) {
    Node made;
    made.id = id;
    made.replication_ip = "10.0.0." + std::to_string(id);
    made.replication_port = 6200;
    made.device = "sd" + std::to_string(id);
    return made;
}

std::string path(std::uint32_t id) {
    return full_path(node(id), "17", "/a/c/o", 1);
}

/// Any k indexes, the preferred first.
ChooseSurvivors any(std::size_t k) {
    return
        [k](std::span<const std::uint8_t> available) -> std::optional<std::vector<std::uint8_t>> {
            if (available.size() < k) return std::nullopt;
            return std::vector<std::uint8_t>(available.begin(), available.begin() + k);
        };
}

/// 4+2: fragment 5 is missing on node 5, fragment 0 is local, nodes 1 to 4 may be asked.
GatherRequest request() {
    GatherRequest made;
    made.policy_index = 1;
    made.partition = "17";
    made.object_path = "/a/c/o";
    made.target = node(5);
    made.wanted = 5;
    made.k = 4;
    made.n = 6;
    made.data_timestamp = Timestamp::parse("1795333043.19771").value();
    made.ec_etag = "etag";
    made.archive_bytes = 1000;
    made.local_index = 0;
    made.local_durable = true;
    for (std::uint8_t i = 1; i < 5; ++i)
        made.candidates.push_back({node(i), i});
    made.choose = any(4);
    return made;
}

ResponseFacts good(std::string_view index) {
    ResponseFacts facts;
    facts.status = 200;
    facts.frag_index = index;
    facts.data_timestamp = "1795333043.19771";
    facts.timestamp = "1795333099.00000";
    facts.durable_timestamp = "1795333043.19771";
    facts.ec_etag = "etag";
    facts.etag = quoted_md5;
    facts.content_length = 1000;
    return facts;
}

ResponseFacts status(int code) {
    ResponseFacts facts;
    facts.status = code;
    return facts;
}

struct Script {
    explicit Script(GatherRequest what) : asked(std::move(what)), decision(asked, log.logger()) {}
    test::RecordedLog log;
    GatherRequest asked;
    GatherDecision decision;
};

TEST(GatherDecision, AsksJustAsManyAsItNeeds) {
    Script run(request());
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(0, 1, 2));
    EXPECT_TRUE(run.decision.answered(0, good("1")));
    EXPECT_TRUE(run.decision.answered(2, good("3")));
    EXPECT_EQ(run.decision.outcome(), Outcome::open);
    EXPECT_TRUE(run.decision.answered(1, good("2")));
    ASSERT_EQ(run.decision.outcome(), Outcome::found);
    EXPECT_THAT(run.decision.picks(),
                ElementsAre(Pick{0, std::nullopt}, Pick{1, 0}, Pick{3, 2}, Pick{2, 1}));
    EXPECT_THAT(run.decision.take_asks(), IsEmpty());
    EXPECT_THAT(run.log.lines,
                ElementsAre("DEBUG Reconstruct frag #5 with frag indexes [0, 1, 3, 2]"));
}

TEST(GatherDecision, AsksOneMoreForEachThatFails) {
    Script run(request());
    run.decision.take_asks();
    run.decision.failed(1, {errc::connect_failed, "Connection refused"});
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(3));
    EXPECT_THAT(run.log.lines,
                ElementsAre("ERROR Trying to GET " + path(2) + ": Connection refused"));
    run.decision.answered(0, good("1"));
    run.decision.answered(2, good("3"));
    run.decision.answered(3, good("4"));
    EXPECT_EQ(run.decision.outcome(), Outcome::found);
}

TEST(GatherDecision, GivesUpInSwiftsWords) {
    Script run(request());
    run.decision.take_asks();
    run.decision.answered(0, status(404));
    run.decision.answered(1, status(507));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(3));
    run.decision.failed(2, {errc::timeout, "Timeout (10.0s)"});
    EXPECT_EQ(run.decision.outcome(), Outcome::open);
    EXPECT_TRUE(run.decision.answered(3, good("4")));
    EXPECT_EQ(run.decision.outcome(), Outcome::too_few);
    EXPECT_THAT(run.log.lines,
                ElementsAre("WARNING Invalid response 507 from " + path(2),
                            "ERROR Trying to GET " + path(3) + ": Timeout (10.0s)",
                            "ERROR Unable to get enough responses (2/4 from 2 ok responses) to "
                            "reconstruct durable " +
                                path(5) + " frag#5 with ETag etag and timestamp 1795333043.19771",
                            "ERROR Unable to get enough responses (1 x unknown, 1 x 404, 1 x 507 "
                            "error responses) to "
                            "reconstruct durable " +
                                path(5) + " frag#5"));
}

TEST(GatherDecision, TellsThatEnoughFragmentsDoNotDetermineOne) {
    auto what = request();
    what.choose = [](std::span<const std::uint8_t>) -> std::optional<std::vector<std::uint8_t>> {
        return std::nullopt;
    };
    Script run(std::move(what));
    run.decision.take_asks();
    for (std::size_t i = 0; i < 4; ++i)
        run.decision.answered(i, good(std::to_string(i + 1)));
    EXPECT_EQ(run.decision.outcome(), Outcome::too_few);
    EXPECT_THAT(run.log.lines,
                ElementsAre("ERROR Unable to get enough responses (5/4 from 5 ok responses, which "
                            "do not determine the fragment) to reconstruct durable " +
                            path(5) + " frag#5 with ETag etag and timestamp 1795333043.19771"));
}

TEST(GatherDecision, AllMissingAndNothingLocalHasNoBucketLine) {
    auto what = request();
    what.local_index.reset();
    Script run(std::move(what));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(0, 1, 2, 3));
    for (std::size_t i = 0; i < 4; ++i)
        run.decision.answered(i, status(404));
    EXPECT_EQ(run.decision.outcome(), Outcome::too_few);
    EXPECT_THAT(
        run.log.lines,
        ElementsAre("ERROR Unable to get enough responses (4 x 404 error responses) to reconstruct "
                    "non-durable " +
                    path(5) + " frag#5"));
}

TEST(GatherDecision, NobodyToAskIsTooFewAtOnce) {
    auto what = request();
    what.candidates.clear();
    Script run(std::move(what));
    EXPECT_EQ(run.decision.outcome(), Outcome::too_few);
}

TEST(GatherDecision, NeverMixesVersions) {
    Script run(request());
    run.decision.take_asks();
    auto other = good("1");
    other.data_timestamp = "1795333043.19772";
    other.durable_timestamp.reset();
    EXPECT_FALSE(run.decision.answered(0, other));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(3));
    auto offset = good("2");
    offset.data_timestamp = "1795333043.19771_0000000000000001";
    EXPECT_FALSE(run.decision.answered(1, offset));
    auto mixed = good("3");
    mixed.ec_etag = "other";
    EXPECT_FALSE(run.decision.answered(2, mixed));
    EXPECT_TRUE(run.decision.answered(3, good("4")));
    EXPECT_EQ(run.decision.outcome(), Outcome::too_few);
    EXPECT_THAT(
        run.log.lines,
        ElementsAre("ERROR Mixed Etag (other, etag) for " + path(5) + " frag#5",
                    "ERROR Unable to get enough responses (2/4 from 3 ok responses) to reconstruct "
                    "durable " +
                        path(5) + " frag#5 with ETag etag and timestamp 1795333043.19771",
                    "ERROR Unable to get enough responses (1/4 from 1 ok responses) to reconstruct "
                    "non-durable " +
                        path(5) +
                        " frag#5 with ETag etag and timestamp 1795333043.19771_0000000000000001",
                    "ERROR Unable to get enough responses (1/4 from 1 ok responses) to reconstruct "
                    "non-durable " +
                        path(5) + " frag#5 with ETag etag and timestamp 1795333043.19772"));
}

TEST(GatherDecision, TakesTheDataTimestampBeforeTheEffectiveOne) {
    Script run(request());
    run.decision.take_asks();
    auto without = good("1");
    without.data_timestamp.reset();
    EXPECT_FALSE(run.decision.answered(0, without));
    without.timestamp = "1795333043.19771";
    EXPECT_TRUE(run.decision.answered(1, without));
}

TEST(GatherDecision, NamesInvalidAnswers) {
    struct Case {
        ResponseFacts facts;
        std::string why;
    };
    std::vector<Case> cases;
    const auto add = [&](auto change, std::string why) {
        Case one{good("1"), std::move(why)};
        change(one.facts);
        cases.push_back(one);
    };
    add([](auto& f) { f.frag_index.reset(); }, " (invalid X-Object-Sysmeta-Ec-Frag-Index: None)");
    add([](auto& f) { f.frag_index = "one"; }, " (invalid X-Object-Sysmeta-Ec-Frag-Index: 'one')");
    add([](auto& f) { f.frag_index = "6"; }, " (invalid X-Object-Sysmeta-Ec-Frag-Index: '6')");
    add([](auto& f) { f.frag_index = "-1"; }, " (invalid X-Object-Sysmeta-Ec-Frag-Index: '-1')");
    add(
        [](auto& f) {
            f.data_timestamp.reset();
            f.timestamp.reset();
        },
        ", frag index 1 (missing X-Backend-Data-Timestamp and X-Backend-Timestamp)");
    add([](auto& f) { f.data_timestamp = "soon"; }, ", frag index 1 (invalid timestamp: 'soon')");
    add([](auto& f) { f.ec_etag.reset(); }, ", frag index 1 (missing Etag)");
    add([](auto& f) { f.content_length = 999; },
        ", frag index 1 (archive length is 999, not 1000)");
    add([](auto& f) { f.content_length.reset(); },
        ", frag index 1 (archive length is unknown, not 1000)");
    add([](auto& f) { f.etag.reset(); }, ", frag index 1 (invalid archive Etag: None)");
    add([](auto& f) { f.etag = "\""; }, ", frag index 1 (invalid archive Etag: '\"')");
    for (const Case& one : cases) {
        Script run(request());
        run.decision.take_asks();
        EXPECT_FALSE(run.decision.answered(0, one.facts));
        EXPECT_THAT(run.log.lines, ElementsAre("WARNING Invalid resp from " + path(1) + one.why));
        EXPECT_THAT(run.decision.take_asks(), ElementsAre(3)) << one.why;
    }
}

TEST(GatherDecision, DoesNotUseTheFragmentThatIsToBeRebuilt) {
    Script run(request());
    run.decision.take_asks();
    EXPECT_FALSE(run.decision.answered(0, good("5")));
    EXPECT_THAT(run.log.lines, ElementsAre("DEBUG Found existing frag #5 at " + path(1) +
                                           " while rebuilding to " + path(5)));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(3));
}

TEST(GatherDecision, ADuplicateIndexDoesNotCount) {
    Script run(request());
    run.decision.take_asks();
    EXPECT_TRUE(run.decision.answered(0, good("1")));
    EXPECT_FALSE(run.decision.answered(1, good("1")));
    EXPECT_FALSE(run.decision.answered(2, good("0")));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(3));
}

TEST(GatherDecision, AnUnexpectedIndexIsAsGood) {
    Script run(request());
    run.decision.take_asks();
    run.decision.answered(0, good("4"));
    run.decision.answered(1, good("2"));
    run.decision.answered(2, good("1"));
    EXPECT_EQ(run.decision.outcome(), Outcome::found);
}

TEST(GatherDecision, HedgesOneAtATime) {
    Script run(request());
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(0, 1, 2));
    run.decision.answered(0, good("1"));
    run.decision.hedge();
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(3));
    run.decision.hedge();
    EXPECT_THAT(run.decision.take_asks(), IsEmpty());
    run.decision.answered(3, good("4"));
    EXPECT_EQ(run.decision.outcome(), Outcome::open);
    run.decision.answered(2, good("3"));
    EXPECT_EQ(run.decision.outcome(), Outcome::found);
    EXPECT_FALSE(run.decision.answered(1, good("2")));
    run.decision.failed(1, {errc::timeout, "late"});
    EXPECT_EQ(run.log.lines.size(), 1u);
}

TEST(GatherDecision, AsksForWhatThePredicateNeeds) {
    // Fragment 5 follows from {0, 2, 4} or from {1, 3} only.
    auto what = request();
    what.choose =
        [](std::span<const std::uint8_t> available) -> std::optional<std::vector<std::uint8_t>> {
        const auto has = [&](std::uint8_t i) {
            return std::find(available.begin(), available.end(), i) != available.end();
        };
        if (has(0) && has(2) && has(4)) return std::vector<std::uint8_t>{4, 2, 0};
        if (has(1) && has(3)) return std::vector<std::uint8_t>{1, 3};
        return std::nullopt;
    };
    Script run(std::move(what));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(1, 3));
    run.decision.answered(1, status(404));
    EXPECT_THAT(run.decision.take_asks(), ElementsAre(0, 2));
    run.decision.answered(0, good("1"));
    run.decision.answered(2, good("3"));
    ASSERT_EQ(run.decision.outcome(), Outcome::found);
    EXPECT_THAT(run.decision.picks(), ElementsAre(Pick{1, 0}, Pick{3, 2}));
}

TEST(GatherDecision, AlwaysEndsAndNeverPicksABadAnswer) {
    std::mt19937_64 random(test::seed());
    for (int round = 0; round < 2000; ++round) {
        auto what = request();
        if (random() % 2) what.local_index.reset();
        what.choose = any(1 + random() % 5);
        Script run(std::move(what));
        std::vector<std::size_t> outstanding;
        std::vector<bool> was_good(4);
        int events = 0;
        while (run.decision.outcome() == Outcome::open) {
            ASSERT_LT(++events, 100);
            for (const auto asked : run.decision.take_asks())
                outstanding.push_back(asked);
            if (run.decision.outcome() != Outcome::open) break;
            ASSERT_FALSE(outstanding.empty());
            if (random() % 4 == 0) {
                run.decision.hedge();
                continue;
            }
            const std::size_t at = random() % outstanding.size();
            const std::size_t candidate = outstanding[at];
            outstanding.erase(outstanding.begin() + static_cast<std::ptrdiff_t>(at));
            const std::string index = std::to_string(random() % 6);
            switch (random() % 4) {
                case 0:
                    run.decision.failed(candidate, {errc::timeout, "x"});
                    break;
                case 1:
                    run.decision.answered(candidate, status(404));
                    break;
                default:
                    was_good[candidate] = run.decision.answered(candidate, good(index));
            }
        }
        if (run.decision.outcome() != Outcome::found) continue;
        std::vector<std::uint8_t> indexes;
        for (const Pick& pick : run.decision.picks()) {
            if (pick.candidate) {
                EXPECT_TRUE(was_good[*pick.candidate]);
            }
            EXPECT_NE(pick.index, 5);
            indexes.push_back(pick.index);
        }
        std::sort(indexes.begin(), indexes.end());
        EXPECT_EQ(std::adjacent_find(indexes.begin(), indexes.end()), indexes.end());
    }
}

}  // namespace
}  // namespace fragmend::transport::fragments
