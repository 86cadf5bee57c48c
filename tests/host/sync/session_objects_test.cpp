// Offers from a real directory tree, bodies from real rebuilds, and what is left of a failed one.
#include "host/sync/session_objects.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/host/sync/session_fixture.hpp"
#include "transport/ssync/sub_request.hpp"

namespace fragmend::sync {
namespace {

using transport::ssync::SubRequest;
using transport::ssync::Wanted;

constexpr std::size_t segments_beyond_hold_back = 80;  // 1.3 MB: sent before all of it is verified.

/// What a sender saw of one session.
struct Seen {
    std::vector<std::string> offered;
    std::vector<std::string> methods;
    std::map<std::string, std::string> headers;  ///< Of all of them, each as it came first.
    std::vector<std::string> bodies;             ///< Of whole PUTs.
    std::vector<errc> broken;                    ///< Bodies that failed.
    std::optional<Error> error;
};

enum class OnBrokenBody { leave_out, end_session };

Awaitable<bool> read_body(SubRequest& request, Seen& seen) {
    std::string body;
    while (true) {
        auto piece = co_await request.body->next();
        if (piece.has_error()) {
            seen.broken.push_back(piece.error().code);
            co_return false;
        }
        if (piece->empty()) break;
        body += as_text(*piece);
    }
    EXPECT_EQ(body.size(), request.content_length);
    seen.bodies.push_back(std::move(body));
    co_return true;
}

/// Plays the sender: asks for all that `wanted` names.
Awaitable<Seen> play(SessionObjects& objects, std::vector<Wanted> wanted, OnBrokenBody on_broken) {
    Seen seen;
    while (true) {
        auto offer = co_await objects.next_offer();
        if (offer.has_error()) {
            seen.error = offer.error();
            break;
        }
        if (!*offer) break;
        seen.offered.push_back((*offer)->object_hash);
    }
    auto told = co_await objects.wanted(std::move(wanted));
    EXPECT_TRUE(told.has_value());
    while (!seen.error) {
        auto requests = co_await objects.next_sub_requests();
        if (requests.has_error()) seen.error = requests.error();
        if (requests.has_error() || requests->empty()) break;
        for (SubRequest& request : *requests) {
            seen.methods.push_back(request.method);
            seen.headers.insert(request.headers.begin(), request.headers.end());
            const auto checked = transport::ssync::check_sub_request(request);
            EXPECT_TRUE(checked.has_value()) << "would end the session";
            if (!request.body) continue;
            const bool whole = co_await read_body(request, seen);
            if (!whole && on_broken == OnBrokenBody::end_session) seen.error = Error{};
            if (!whole) break;
        }
    }
    co_await objects.stop();
    co_return seen;
}

struct SessionObjectsTest : testing::SessionFixture {
    Seen run(std::vector<swift::SuffixName> suffixes, std::vector<Wanted> wanted,
             OnBrokenBody on_broken = OnBrokenBody::leave_out) {
        Services shared = services();
        SessionObjects objects(shared, policy, plan(std::move(suffixes)), activity, holes);
        auto seen = test::run_coroutine(io, play(objects, std::move(wanted), on_broken));
        counts = objects.counts();
        return seen;
    }
    SessionCounts counts;
    Holes holes;
};

TEST_F(SessionObjectsTest, OffersAndRebuildsWhatTheSuffixesHold) {
    const auto bytes = archive(2);
    const auto one = put("/a/c/one", bytes);
    const auto two = put("/a/c/two", "");
    const auto seen = run({one.substr(29), two.substr(29)}, {want(one), want(two)});
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.offered, (std::vector{one, two}));
    EXPECT_EQ(seen.methods, (std::vector<std::string>{"PUT", "PUT"}));
    ASSERT_EQ(seen.bodies.size(), 2u);
    EXPECT_EQ(seen.bodies[0].size(), bytes.size());
    EXPECT_EQ(seen.bodies[1], "");
    EXPECT_EQ(counts.fragments, 2u);
    EXPECT_EQ(counts.bytes, bytes.size());
    EXPECT_EQ(counts.objects_failed, 0u);
}

TEST_F(SessionObjectsTest, LongMetadataKeepsNobodyFromHisTurn) {
    std::vector<Wanted> wanted;
    for (const char* name : {"A", "B", "C", "D", "E", "F"}) {
        const auto hash = put(std::string("/a/c/") + name, archive(1));
        set_metadata(hash, std::string("X-Object-Meta-") + name, std::string(40'000, 'v'));
        wanted.push_back(want(hash));
    }
    const auto seen = run({}, wanted);
    EXPECT_EQ(seen.bodies.size(), 6u);
    EXPECT_TRUE(seen.headers.contains("X-Object-Meta-A") &&
                seen.headers.contains("X-Object-Meta-F"));
}

TEST_F(SessionObjectsTest, ServesWhatMissesMostFirst) {
    const auto one = put("/a/c/one", archive(1));
    const auto two = put("/a/c/two", archive(2));
    risks.lacks(two, 7);
    const auto seen = run({}, {want(one), want(two)});
    ASSERT_EQ(seen.bodies.size(), 2u);
    EXPECT_GT(seen.bodies[0].size(), seen.bodies[1].size());
    // The one that lacks it was not asked again.
    EXPECT_EQ(risks.missing(two), 1u);
}

TEST_F(SessionObjectsTest, ThatItsOwnTargetLacksAnObjectIsNoRiskMore) {
    const auto one = put("/a/c/one", archive(1));
    const auto two = put("/a/c/two", archive(2));
    risks.lacks(one, 7);
    risks.lacks(two, swift::test::make_node(1).id);
    const auto seen = run({}, {want(two), want(one)});
    ASSERT_EQ(seen.bodies.size(), 2u);
    EXPECT_LT(seen.bodies[0].size(), seen.bodies[1].size());
}

TEST_F(SessionObjectsTest, ServesFirstWhatALaterTargetLacksToo) {
    const auto one = put("/a/c/one", archive(1));
    const auto two = put("/a/c/two", archive(2));
    ASSERT_NE(one.substr(29), two.substr(29));
    auto planned = plan({});
    planned.later = {{7, 2, {two.substr(29)}}};
    Services shared = services();
    SessionObjects objects(shared, policy, std::move(planned), activity, holes);
    const auto seen =
        test::run_coroutine(io, play(objects, {want(one), want(two)}, OnBrokenBody::leave_out));
    ASSERT_EQ(seen.bodies.size(), 2u);
    EXPECT_GT(seen.bodies[0].size(), seen.bodies[1].size());
}

TEST_F(SessionObjectsTest, LeavesOutWhatSomebodyCancelled) {
    const auto one = put("/a/c/one", archive(2));
    const auto two = put("/a/c/two", archive(1));
    suspects.give_up(one);
    const auto seen = run({}, {want(one), want(two)});
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.bodies.size(), 1u);
    EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::cancelled, 1}}));
    EXPECT_FALSE(counts.body_failed);
}

/// Cancels the object when its first piece is out.
Awaitable<Seen> play_and_cancel(SessionObjects& objects, Suspects& suspects, Wanted wanted) {
    Seen seen;
    const std::string hash = wanted.object_hash.hex();
    std::vector<Wanted> all;
    all.push_back(std::move(wanted));
    auto told = co_await objects.wanted(std::move(all));
    EXPECT_TRUE(told.has_value());
    auto requests = co_await objects.next_sub_requests();
    EXPECT_TRUE(requests.has_value() && requests->size() == 1);
    auto first = co_await requests->front().body->next();
    EXPECT_TRUE(first.has_value());
    suspects.give_up(hash);
    const bool whole = co_await read_body(requests->front(), seen);
    EXPECT_FALSE(whole);
    requests->clear();
    co_await objects.stop();
    co_return seen;
}

TEST_F(SessionObjectsTest, ABodyThatIsCancelledHalfwayEndsItsSession) {
    const auto one = put("/a/c/one", archive(segments_beyond_hold_back));
    Services shared = services();
    SessionObjects objects(shared, policy, plan({}), activity, holes);
    const auto seen = test::run_coroutine(io, play_and_cancel(objects, suspects, want(one)));
    EXPECT_EQ(seen.broken, std::vector{errc::cancelled});
    EXPECT_TRUE(objects.counts().body_failed) << "the others are worth another session";
    EXPECT_EQ(objects.counts().fragments, 0u);
}

/// Cancels the object as soon as somebody waits as `waits` says, then lets go of `held`.
Awaitable<void> cancel_when(asio::io_context& io, Suspects& suspects, std::string hash,
                            std::function<bool()> waits, std::function<bool()> ended,
                            scheduler::MemoryBudget::Permit& held) {
    while (!waits())
        co_await asio::post(io, asio::use_awaitable);
    suspects.give_up(hash);
    for (int turns = 0; turns < 1000 && !ended(); ++turns)
        co_await asio::post(io, asio::use_awaitable);
    EXPECT_TRUE(ended()) << "it went on waiting";
    held.release();
}

TEST_F(SessionObjectsTest, ACancelledObjectWaitsForNoMemory) {
    const auto one = put("/a/c/one", archive(2));
    const auto two = put("/a/c/two", archive(1));
    auto held = test::run_coroutine(io, budget.acquire(budget.capacity_bytes())).value();
    TaskGroup others(io.get_executor());
    others.spawn(cancel_when(
        io, suspects, one, [this] { return budget.has_waiters(); },
        [this] { return rebuild_stats.objects_cancelled == 1; }, held));
    const auto seen = run({}, {want(one), want(two)});
    EXPECT_FALSE(seen.error);
    EXPECT_TRUE(seen.broken.empty());
    EXPECT_EQ(seen.bodies.size(), 1u);
    EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::cancelled, 1}}));
}

struct SlowSession : SessionObjectsTest {
    /// May send a byte a second; `cancelled` is, when a body waits for that.
    Seen run_slowly(std::string cancelled, std::vector<Wanted> wanted, OnBrokenBody on_broken) {
        scheduler::Throttle slow(io.get_executor(), clock, rebuild_stats, {{}, {.total = 1}});
        Services shared = services();
        shared.throttle = &slow;
        bool is_over = false;
        const auto waits = [this] {  // Letting somebody pass counts some microseconds.
            return rebuild_stats.wait_for_throttle.any_until(clock.steady()).count() > 2'000'000;
        };
        scheduler::MemoryBudget::Permit nothing;
        TaskGroup others(io.get_executor());
        others.spawn(cancel_when(
            io, suspects, std::move(cancelled), waits, [&is_over] { return is_over; }, nothing));
        SessionObjects objects(shared, policy, plan({}), activity, holes);
        auto seen = test::run_coroutine(io, play(objects, std::move(wanted), on_broken));
        counts = objects.counts();
        is_over = true;
        while (others.running() > 0)
            io.run_one();
        return seen;
    }
};

TEST_F(SlowSession, ACancelledBodyWaitsForNoThrottle) {
    const auto one = put("/a/c/one", archive(2));
    const auto seen = run_slowly(one, {want(one)}, OnBrokenBody::end_session);
    EXPECT_EQ(seen.broken, std::vector{errc::cancelled});
    EXPECT_TRUE(counts.body_failed);
}

TEST_F(SlowSession, ACancelledBodyOfWhichNothingWentOutIsLeftOut) {
    const auto one = put("/a/c/one", archive(1));
    const auto two = put("/a/c/two", archive(1));
    // The first one's piece has passed, and made the second one's wait.
    const auto seen = run_slowly(two, {want(one), want(two)}, OnBrokenBody::leave_out);
    EXPECT_EQ(seen.broken, std::vector{errc::cancelled});
    EXPECT_EQ(seen.bodies.size(), 1u);
    EXPECT_FALSE(counts.body_failed);
    EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::cancelled, 1}}));
}

TEST_F(SessionObjectsTest, SkipsAnObjectThatIsGone) {
    const auto one = put("/a/c/one", archive(1));
    const auto seen = run({}, {want(std::string(32, 'e')), want(one)});
    EXPECT_EQ(seen.bodies.size(), 1u);
    EXPECT_EQ(counts.objects_failed, 0u);
}

TEST_F(SessionObjectsTest, SmallDamagedArchiveFailsBeforeItsBodyAndIsQuarantined) {
    const auto bad = put("/a/c/bad", archive(2), true);
    const auto good = put("/a/c/good", archive(1));
    const auto seen = run({}, {want(bad), want(good)});
    EXPECT_EQ(seen.methods, (std::vector<std::string>{"PUT"}));
    EXPECT_EQ(counts.fragments, 1u);
    EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::too_few_fragments, 1}}));
    EXPECT_EQ(quarantines.load(), 1u);
    ASSERT_EQ(stats.bad_survivors.size(), 1u);
    EXPECT_EQ(stats.bad_survivors[0].object, "/a/c/bad");
    EXPECT_EQ(suspects.of(bad), (std::vector<std::uint32_t>{0}));
}

TEST_F(SessionObjectsTest, BodyThatIsLeftOutOfTheSessionIsAFailedObject) {
    const auto bad = put("/a/c/bad", archive(segments_beyond_hold_back), true);
    const auto bytes = archive(1);
    const auto good = put("/a/c/good", bytes);
    const auto seen = run({}, {want(bad), want(good)}, OnBrokenBody::leave_out);
    EXPECT_EQ(seen.methods, (std::vector<std::string>{"PUT", "PUT"}));
    EXPECT_EQ(seen.broken, std::vector{errc::too_few_fragments});
    EXPECT_EQ(counts.objects_failed, 1u);
    EXPECT_EQ(counts.fragments, 1u);
    EXPECT_EQ(counts.bytes, bytes.size());
    EXPECT_FALSE(counts.body_failed);
}

TEST_F(SessionObjectsTest, BodyThatBreaksSessionsIsNotBegunAThirdTime) {
    const auto bad = put("/a/c/bad", archive(segments_beyond_hold_back), true);
    const auto good = put("/a/c/good", archive(1));
    // Keeps the damaged file where it is, as if another survivor than the local one were bad.
    for (int i = 0; i < Suspects::broken_sessions_max; ++i) {
        suspects.broke_session(bad, {errc::limit, "four sets of survivors"});
    }
    const auto seen = run({}, {want(bad), want(good)}, OnBrokenBody::end_session);
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.bodies.size(), 1u);
    EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::limit, 1}}));
}

TEST_F(SessionObjectsTest, BrokenBodyIsRememberedWhenItEndsTheSession) {
    const auto bad = put("/a/c/bad", archive(segments_beyond_hold_back), true);
    const auto seen = run({}, {want(bad)}, OnBrokenBody::end_session);
    EXPECT_TRUE(seen.error);
    EXPECT_TRUE(counts.body_failed);
    EXPECT_EQ(counts.fragments, 0u);
    // One of two, and one more because a survivor was named.
    suspects.broke_session(bad, {errc::limit, ""});
    EXPECT_FALSE(suspects.why_it_broke(bad));
    suspects.broke_session(bad, {errc::limit, ""});
    EXPECT_TRUE(suspects.why_it_broke(bad));
}

TEST_F(SessionObjectsTest, SuffixThatCannotBeListedLeavesTheOthersAlone) {
    const auto one = put("/a/c/one", archive(1));
    const std::string blocked = one.substr(29) == "abc" ? "abd" : "abc";
    swift::testing::write_file(partition_path() + "/" + blocked, "a file");
    const auto seen = run({blocked, one.substr(29)}, {want(one)});
    EXPECT_FALSE(seen.error);
    EXPECT_EQ(seen.offered, std::vector{one});
    EXPECT_EQ(stats.failed_partitions.size(), 1u);
}

TEST_F(SessionObjectsTest, HostileSegmentSizeFailsAtMostItsObject) {
    const auto bytes = archive(1);
    const auto one = put("/a/c/one", bytes);
    for (const char* text : {"0", "-1", "1", "4294967296", "18446744073709551616", "x", ""}) {
        set_metadata(one, "X-Object-Sysmeta-Ec-Segment-Size", text);
        const auto seen = run({}, {want(one)});
        EXPECT_FALSE(seen.error) << text;
        EXPECT_EQ(counts.fragments + counts.objects_failed, 1u) << text;
        EXPECT_EQ(counts.objects_failed, 0u) << text;
    }
}

TEST_F(SessionObjectsTest, FoldedMetadataIsSentUnfolded) {
    const auto one = put("/a/c/one", archive(1));
    set_metadata(one, "X-Object-Meta-A", "foo\r\n bar");
    const auto two = put("/a/c/two", archive(1));
    post("/a/c/two", "X-Object-Meta-B", "foo\n\t bar\r baz");
    auto both = want(two);
    both.meta = true;
    const auto seen = run({}, {want(one), both});
    EXPECT_EQ(seen.methods, (std::vector<std::string>{"PUT", "PUT", "POST"}));
    EXPECT_EQ(seen.headers.at("X-Object-Meta-A"), "foo bar");
    EXPECT_EQ(seen.headers.at("X-Object-Meta-B"), "foo bar baz");
    EXPECT_TRUE(counts.failures.empty());
    EXPECT_EQ(counts.metas, 1u);
}

TEST_F(SessionObjectsTest, ObjectWhoseMetadataBreaksItsLineIsLeftOut) {
    const auto good = put("/a/c/good", archive(1));
    const std::pair<std::string, std::string> broken[] = {
        {"X-Object-Meta-A", "a\nb"}, {"X-Object-Meta-A", "a\r"},     {"X-Object-Meta-A", "a\n\n b"},
        {"X-Object-Meta\n-A", "b"},  {"X-Object-Meta-A:", "b"},      {"", "b"},
        {"content-length", "1"},     {"X-Object-Meta-A", {"a\0", 2}}};
    for (const auto& [name, value] : broken) {
        const auto bad = put("/a/c/bad", archive(2));
        set_metadata(bad, name, value);
        const auto seen = run({}, {want(bad), want(good)});
        EXPECT_FALSE(seen.error) << name;
        EXPECT_EQ(seen.bodies.size(), 1u) << name;
        EXPECT_EQ(seen.methods, std::vector<std::string>{"PUT"}) << name;
        EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::bad_metadata, 1}}))
            << name;
    }
}

TEST_F(SessionObjectsTest, PostWhoseMetadataBreaksItsLineLeavesItsObjectOut) {
    const auto bad = put("/a/c/bad", archive(2));
    post("/a/c/bad", "X-Object-Meta-A", "a\nb");
    const auto good = put("/a/c/good", archive(1));
    for (const bool data : {false, true}) {
        auto wanted = want(bad);
        wanted.data = data;
        wanted.meta = true;
        const auto seen = run({}, {wanted, want(good)});
        EXPECT_FALSE(seen.error);
        EXPECT_EQ(seen.methods, std::vector<std::string>{"PUT"});
        EXPECT_EQ(seen.bodies.size(), 1u);
        EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::bad_metadata, 1}}));
        EXPECT_EQ(counts.metas, 0u);
    }
}

Awaitable<bool> stop_early(SessionObjects& objects, std::vector<Wanted> wanted, bool begin_body) {
    auto told = co_await objects.wanted(std::move(wanted));
    EXPECT_TRUE(told.has_value());
    if (begin_body) {
        auto requests = co_await objects.next_sub_requests();
        EXPECT_TRUE(requests.has_value());
        auto piece = co_await requests->front().body->next();
        EXPECT_TRUE(piece.has_value());
    }
    objects.cancel();
    auto after = co_await objects.next_sub_requests();
    EXPECT_TRUE(after.has_error() && after.error() == errc::cancelled);
    co_await objects.stop();
    co_return true;
}

TEST_F(SessionObjectsTest, EndsWheneverItIsCancelled) {
    std::vector<Wanted> all;
    for (int i = 0; i < 40; ++i)
        all.push_back(want(put("/a/c/" + std::to_string(i), archive(2))));
    for (const bool begin_body : {false, true}) {
        Services shared = services();
        SessionObjects objects(shared, policy, plan({}), activity, holes);
        EXPECT_TRUE(test::run_coroutine(io, stop_early(objects, all, begin_body)));
        EXPECT_EQ(budget.in_use_bytes(), 0u);
        EXPECT_EQ(objects.counts().objects_failed, 0u);
    }
}

/// Two sessions of one job side by side: what the first one leaves, the second one takes.
struct SharedSessions : SessionObjectsTest {
    scheduler::RebuildRequest request_of(const std::string& hash, std::size_t bytes) {
        scheduler::RebuildRequest request;
        request.scheme = scheme();
        request.partition = "7";
        request.object_hash = hash;
        request.data_timestamp = ago(1000);
        request.ec_etag = "whole";
        request.archive_bytes = bytes;
        request.fragment_bytes = codec.fragment_bytes(scheme(), segment_bytes);
        request.wanted = 1;
        return request;
    }
    LocalArchive archive_of(const std::string& hash, const std::string& bytes) const {
        Md5 md5;
        md5.update(std::string_view(bytes));
        return {partition_path() + "/" + hash.substr(29) + "/" + hash + "/" +
                    swift::data_file_name(ago(1000), 0, true),
                0,
                md5.finish_hex(),
                bytes.size(),
                true,
                nullptr};
    }
};

Awaitable<bool> verify(scheduler::ObjectRebuild& rebuild) {
    rebuild.start();
    const auto ready = co_await rebuild.ready();
    co_return ready.has_value() && rebuild.outcome().verified;
}

// Or they would wait for each other: the session takes what was kept only behind the large one.
TEST_F(SharedSessions, WhatWasKeptMakesRoomForAnObjectThatNeedsTheWholeBudget) {
    const auto large = archive(60);
    const auto little = archive(2);
    const auto first = put("/a/c/first", ""), second = put("/a/c/second", large),
               kept = put("/a/c/kept", little);
    const std::size_t piece_bytes = codec.fragment_bytes(scheme(), segment_bytes);
    const auto shape = scheduler::fit_shape(scheme(), large.size(), piece_bytes, {}, 64 << 20);
    scheduler::MemoryBudget tight(io.get_executor(), shape->charge_bytes() + 1);
    Stash stash(tight, 1 << 20);
    Services shared = services_with(tight, targets, sessions);
    shared.stash = &stash;

    SurvivorSource source(shared, policy, "7", swift::test::make_node(0), swift::test::make_node(1),
                          holes);
    source.remember(kept, archive_of(kept, little));
    const scheduler::RebuildPorts ports{
        shared.network, source,       shared.codec,         shared.dispatcher, shared.budget,
        shared.buffers, shared.clock, shared.rebuild_stats, shared.log};
    auto rebuild = std::make_shared<scheduler::ObjectRebuild>(ports, scheduler::RebuildLimits(),
                                                              request_of(kept, little.size()),
                                                              std::vector<std::uint32_t>());
    ASSERT_TRUE(test::run_coroutine(io, verify(*rebuild)));
    auto planned = plan({});
    planned.job = this;
    stash.keep({this, kept, 1}, *stash.promise(little.size()), std::move(rebuild), 0);
    ASSERT_TRUE(stash.has({this, kept, 1}));
    ASSERT_GT(tight.in_use_bytes(), little.size());

    SessionObjects objects(shared, policy, std::move(planned), activity, holes);
    const auto seen = test::run_coroutine(
        io, play(objects, {want(first), want(second), want(kept)}, OnBrokenBody::leave_out));
    EXPECT_EQ(seen.bodies.size(), 3u);
    EXPECT_EQ(objects.counts().fragments, 3u);
    EXPECT_EQ(rebuild_stats.objects_started, 4u) << "given back, and rebuilt again";
}

}  // namespace
}  // namespace fragmend::sync
