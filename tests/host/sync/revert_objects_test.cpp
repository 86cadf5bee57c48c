// What a revert offers and sends out of a real directory tree, and what it then calls delivered.
#include "host/sync/revert_objects.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "host/sync/revert_job.hpp"
#include "scheduler/snapshot.hpp"
#include "tests/host/sync/session_fixture.hpp"
#include "transport/ssync/sub_request.hpp"

namespace fragmend::sync {
namespace {

namespace ondisk = testing::ondisk;
using transport::ssync::SubRequest;
using transport::ssync::Wanted;

/// What a sender saw of one session.
struct Seen {
    std::map<std::string, std::optional<bool>> offered;  ///< Durable, by hash.
    std::vector<std::string> sent;                       ///< `PUT /a/c/o`.
    std::vector<std::string> bodies;
    std::vector<transport::ssync::SubRequest> heads;
    std::vector<errc> broken;
    std::optional<Error> error;
    Delivered delivered;
};

Awaitable<void> read_body(SubRequest& request, Seen& seen, const std::function<void()>& on_piece) {
    std::string body;
    while (true) {
        auto piece = co_await request.body->next();
        if (piece.has_error()) {
            seen.broken.push_back(piece.error().code);
            co_return;
        }
        if (piece->empty()) break;
        body += as_text(*piece);
        if (on_piece) on_piece();
    }
    EXPECT_EQ(body.size(), request.content_length);
    seen.bodies.push_back(std::move(body));
}

/// Plays the sender. `meanwhile` happens between the offers and the answer.
Awaitable<Seen> play(RevertObjects& objects, bool takes_non_durable, std::vector<Wanted> wanted,
                     std::function<void()> meanwhile, std::function<void()> on_piece) {
    Seen seen;
    auto begun = co_await objects.begin(takes_non_durable);
    EXPECT_TRUE(begun.has_value());
    while (true) {
        auto offer = co_await objects.next_offer();
        if (offer.has_error()) seen.error = offer.error();
        if (offer.has_error() || !*offer) break;
        seen.offered[(*offer)->object_hash] = (*offer)->durable;
    }
    if (meanwhile) meanwhile();
    auto told = co_await objects.wanted(std::move(wanted));
    EXPECT_TRUE(told.has_value());
    while (!seen.error) {
        auto requests = co_await objects.next_sub_requests();
        if (requests.has_error()) seen.error = requests.error();
        if (requests.has_error() || requests->empty()) break;
        for (SubRequest& request : *requests) {
            seen.sent.push_back(request.method + " " + request.path);
            const auto checked = transport::ssync::check_sub_request(request);
            EXPECT_TRUE(checked.has_value()) << "would end the session";
            if (request.body) co_await read_body(request, seen, on_piece);
            request.body.reset();
            seen.heads.push_back(std::move(request));
            if (!seen.broken.empty()) break;
        }
    }
    co_await objects.finish();
    seen.delivered = objects.take_delivered();
    co_return seen;
}

struct RevertObjectsTest : testing::SessionFixture {
    Seen run(std::vector<swift::SuffixName> suffixes, std::vector<Wanted> wanted,
             std::function<void()> meanwhile = {}) {
        Services shared = services();
        shared.throttle = throttle;
        const auto p = plan({});
        RevertObjects objects(
            shared, policy,
            {p.partition, p.local_device, index, p.target, std::move(suffixes), objects_max},
            activity);
        auto seen = test::run_coroutine(io, play(objects, takes_non_durable, std::move(wanted),
                                                 std::move(meanwhile), on_piece));
        counts = objects.counts();
        limited = objects.limited();
        incomplete = objects.incomplete();
        EXPECT_EQ(budget.in_use_bytes(), 0u);
        return seen;
    }
    static std::string suffix_of(const std::string& hash) { return hash.substr(29); }
    std::string folder(const std::string& hash) const {
        return partition_path() + "/" + suffix_of(hash) + "/" + hash;
    }
    std::string put_tombstone(const std::string& path, Timestamp time) {
        const auto hash = hash_of(path);
        const auto file = folder(hash) + "/" + swift::tombstone_file_name(time);
        ondisk::write_file(file);
        swift::Metadata metadata;
        metadata.set("X-Timestamp", time.internal());
        metadata.set("name", path);
        const UniqueFd fd(::open(file.c_str(), O_RDONLY));
        EXPECT_TRUE(swift::write_metadata(fd.get(), file, metadata).has_value());
        return hash;
    }
    void uncommit(const std::string& hash) {
        ondisk::fs::rename(folder(hash) + "/" + swift::data_file_name(ago(1000), 0, true),
                           folder(hash) + "/" + swift::data_file_name(ago(1000), 0, false));
    }
    static const std::string* header(const SubRequest& request, std::string_view name) {
        for (const auto& [key, value] : request.headers) {
            if (key == name) return &value;
        }
        return nullptr;
    }

    /// What is being waited for now.
    std::string waiting() {
        const auto now = clock.steady(), later = now + std::chrono::hours(1);
        std::string all;
        const auto look = [&](const scheduler::WaitSum& sum, std::string_view name) {
            if (sum.until(later) - sum.until(now) > std::chrono::minutes(59)) all += name;
        };
        look(rebuild_stats.wait_for_open, "source ");
        look(rebuild_stats.wait_for_budget, "memory ");
        look(rebuild_stats.wait_for_target, "target ");
        look(rebuild_stats.wait_of_session, "starving ");
        return all;
    }

    std::optional<int> index = 0;
    std::function<void()> on_piece;
    scheduler::Throttle* throttle = nullptr;
    std::int64_t objects_max = 0;
    bool takes_non_durable = true;
    RevertCounts counts;
    bool limited = false;
    bool incomplete = false;
};

TEST_F(RevertObjectsTest, SendsTheArchiveAsItStandsOnTheDisk) {
    const auto bytes = archive(3);
    const auto hash = put("/a/c/o", bytes);
    const auto seen = run({suffix_of(hash)}, {want(hash)});
    EXPECT_EQ(seen.bodies, std::vector{bytes});
    ASSERT_EQ(seen.heads.size(), 1u);
    EXPECT_EQ(*header(seen.heads[0], "ETag"), md5_hex(bytes));
    EXPECT_EQ(*header(seen.heads[0], "X-Object-Sysmeta-Ec-Frag-Index"), "0");
    EXPECT_EQ(header(seen.heads[0], "X-Backend-No-Commit"), nullptr);
    EXPECT_EQ(header(seen.heads[0], "name"), nullptr);
    EXPECT_EQ(seen.delivered.count(hash), 1u);
    EXPECT_EQ(counts.fragments, 1u);
    EXPECT_EQ(counts.bytes, bytes.size());
    EXPECT_FALSE(incomplete);
}

TEST_F(RevertObjectsTest, WhatSomebodyCancelledStaysWhereItIs) {
    const auto cancelled = put("/a/c/cancelled", archive(1)), other = put("/a/c/other", archive(1));
    suspects.give_up(cancelled);
    const auto seen = run({suffix_of(cancelled), suffix_of(other)}, {want(cancelled), want(other)});
    EXPECT_EQ(seen.sent, std::vector<std::string>{"PUT /a/c/other"});
    EXPECT_EQ(seen.delivered.count(cancelled), 0u);
    EXPECT_EQ(seen.delivered.count(other), 1u);
    EXPECT_TRUE(incomplete);
}

TEST_F(RevertObjectsTest, ABodyThatIsCancelledHalfwayEndsThere) {
    const auto hash = put("/a/c/o", archive(200));
    on_piece = [this, hash] { suspects.give_up(hash); };
    const auto seen = run({suffix_of(hash)}, {want(hash)});
    EXPECT_EQ(seen.broken, std::vector{errc::cancelled});
    EXPECT_EQ(seen.delivered.count(hash), 0u);
}

TEST_F(RevertObjectsTest, WhatIsCancelledWhileItWaitsForMemoryIsLeftOut) {
    const auto cancelled = put("/a/c/cancelled", archive(1)), other = put("/a/c/other", archive(1));
    auto held = test::run_coroutine(io, budget.acquire(budget.capacity_bytes())).value();
    TaskGroup others(io.get_executor());
    const auto when_it_waits = [](asio::io_context& on, scheduler::MemoryBudget& memory,
                                  std::function<void()> waits, std::function<void()> give_up,
                                  scheduler::MemoryBudget::Permit& all) -> Awaitable<void> {
        while (!memory.has_waiters())
            co_await asio::post(on, asio::use_awaitable);
        waits();
        give_up();
        for (int turns = 0; turns < 100; ++turns)
            co_await asio::post(on, asio::use_awaitable);
        all.release();
    };
    others.spawn(when_it_waits(
        io, budget, [this] { EXPECT_EQ(waiting(), "memory starving "); },
        [this, cancelled] { suspects.give_up(cancelled); }, held));
    const auto seen = run({suffix_of(cancelled), suffix_of(other)}, {want(cancelled), want(other)});
    EXPECT_EQ(seen.sent, std::vector<std::string>{"PUT /a/c/other"});
    EXPECT_EQ(seen.delivered.count(cancelled), 0u);
    EXPECT_EQ(seen.delivered.count(other), 1u);
    EXPECT_TRUE(incomplete);
}

TEST_F(RevertObjectsTest, GivesWayAsTheProfileWantsIt) {
    scheduler::Throttle polite(io.get_executor(), clock, rebuild_stats,
                               {{}, {}, scheduler::Profile::polite});
    throttle = &polite;
    const auto hash = put("/a/c/o", archive(1));
    const auto waited = [this] {
        return rebuild_stats.wait_for_throttle.any_until(clock.steady()).count();
    };
    polite.answered("peer session", std::chrono::milliseconds(5));
    EXPECT_EQ(run({suffix_of(hash)}, {want(hash)}).bodies.size(), 1u);
    EXPECT_EQ(waited(), 0);
    while (polite.pace() == 1)
        polite.answered("peer session", std::chrono::milliseconds(500));
    EXPECT_EQ(run({suffix_of(hash)}, {want(hash)}).bodies.size(), 1u);
    EXPECT_GT(waited(), 0);
}

TEST_F(RevertObjectsTest, ItsWaitsSayWhatHoldsItUp) {
    const auto hash = put("/a/c/o", archive(200));
    std::vector<std::string> seen;
    on_piece = [this, &seen] { seen.push_back(waiting()); };
    EXPECT_EQ(run({suffix_of(hash)}, {want(hash)}).bodies.size(), 1u);
    ASSERT_GT(seen.size(), 3u);
    for (const std::string& one : seen)
        EXPECT_EQ(one, "target ");
    EXPECT_EQ(waiting(), "");
    const auto waits = scheduler::waits_of(rebuild_stats, clock.steady());
    EXPECT_GT(waits.source.count(), 0);
    EXPECT_GE(waits.starving, waits.source);
    on_piece = [this, hash] { suspects.give_up(hash); };
    EXPECT_TRUE(run({suffix_of(hash)}, {want(hash)}).bodies.empty());
    EXPECT_EQ(waiting(), "") << "a body that is dropped";
}

TEST_F(RevertObjectsTest, GivesWayBetweenThePiecesOfALargeArchive) {
    scheduler::Throttle polite(io.get_executor(), clock, rebuild_stats,
                               {{}, {}, scheduler::Profile::polite});
    throttle = &polite;
    polite.answered("peer session", std::chrono::milliseconds(5));
    while (polite.pace() == 1)
        polite.answered("peer session", std::chrono::milliseconds(500));
    const auto hash = put("/a/c/o", archive(200));
    std::vector<std::chrono::nanoseconds> rested;
    on_piece = [this, &rested] {
        rested.push_back(rebuild_stats.wait_for_throttle.any_until(clock.steady()));
    };
    EXPECT_EQ(run({suffix_of(hash)}, {want(hash)}).bodies.size(), 1u);
    ASSERT_GT(rested.size(), 3u);
    for (std::size_t i = 1; i < rested.size(); ++i)
        EXPECT_GT(rested[i], rested[i - 1]);
}

TEST_F(RevertObjectsTest, ArchiveOfManyPiecesArrivesWhole) {
    const auto bytes = archive(200);
    ASSERT_GT(bytes.size(), 3 * LocalBody::piece_bytes_max);
    const auto hash = put("/a/c/o", bytes);
    const auto seen = run({suffix_of(hash)}, {want(hash)});
    EXPECT_EQ(seen.bodies, std::vector{bytes});
    EXPECT_EQ(seen.delivered.size(), 1u);
}

TEST_F(RevertObjectsTest, WhatIsInSyncIsDeliveredWithoutBeingSent) {
    const auto hash = put("/a/c/o", archive(1));
    const auto seen = run({suffix_of(hash)}, {});
    EXPECT_TRUE(seen.sent.empty());
    EXPECT_EQ(seen.delivered.count(hash), 1u);
}

TEST_F(RevertObjectsTest, NonDurableDataIsOfferedOnlyToWhoTakesIt) {
    const auto hash = put("/a/c/o", archive(1));
    uncommit(hash);
    takes_non_durable = false;
    EXPECT_TRUE(run({suffix_of(hash)}, {}).offered.empty());
    takes_non_durable = true;
    const auto seen = run({suffix_of(hash)}, {want(hash)});
    EXPECT_EQ(seen.offered.at(hash), false);
    EXPECT_EQ(*header(seen.heads.at(0), "X-Backend-No-Commit"), "True");
    EXPECT_EQ(seen.delivered.at(hash).durable, false);
}

TEST_F(RevertObjectsTest, DamagedArchiveIsLeftOutQuarantinedAndNotDelivered) {
    for (const std::size_t segments : {2u, 200u}) {
        const auto name = "/a/c/" + std::to_string(segments);
        const auto bad = put(name, archive(segments), true);
        const auto good = put(name + "-good", archive(1));
        const auto seen = run({suffix_of(bad), suffix_of(good)}, {want(bad), want(good)});
        EXPECT_EQ(seen.broken, std::vector{errc::bad_fragment});
        EXPECT_FALSE(seen.delivered.contains(bad));
        EXPECT_TRUE(seen.delivered.contains(good));
        EXPECT_TRUE(incomplete);
        EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::bad_fragment, 1}}));
        EXPECT_FALSE(ondisk::fs::exists(folder(bad)));
        EXPECT_TRUE(ondisk::fs::exists(scratch / ("d1/quarantined/objects-1/" + bad)));
    }
}

TEST_F(RevertObjectsTest, SmallDamagedArchiveFailsBeforeItsFirstByte) {
    const auto bad = put("/a/c/bad", archive(2), true);
    const auto seen = run({suffix_of(bad)}, {want(bad)});
    EXPECT_EQ(seen.broken.size(), 1u);
    EXPECT_TRUE(seen.bodies.empty());
}

TEST_F(RevertObjectsTest, WhatChangedSinceItsOfferIsLeftForTheNextPass) {
    const auto deleted = put("/a/c/deleted", archive(1));
    const auto gone = put("/a/c/gone", archive(1));
    const auto seen = run({suffix_of(deleted), suffix_of(gone)}, {want(deleted), want(gone)}, [&] {
        put_tombstone("/a/c/deleted", ago(10));
        ondisk::fs::remove_all(folder(gone));
    });
    EXPECT_EQ(seen.offered.size(), 2u);
    EXPECT_TRUE(seen.sent.empty());
    EXPECT_TRUE(seen.delivered.empty());
    EXPECT_TRUE(counts.failures.empty());
}

TEST_F(RevertObjectsTest, NobodyCanAskForWhatWasNotOffered) {
    const auto offered = put("/a/c/o", archive(1));
    const auto other = put("/a/c/other", archive(1));
    if (suffix_of(offered) == suffix_of(other)) GTEST_SKIP();
    const auto seen = run({suffix_of(offered)}, {want(other), want(std::string(32, 'f'))});
    EXPECT_TRUE(seen.sent.empty());
    EXPECT_EQ(seen.delivered.size(), 1u);
}

TEST_F(RevertObjectsTest, WithoutAnIndexOnlyTombstonesAreOffered) {
    const auto data = put("/a/c/data", archive(1));
    const auto tombstone = put_tombstone("/a/c/deleted", ago(10));
    index = std::nullopt;
    const auto seen = run({suffix_of(data), suffix_of(tombstone)}, {want(tombstone)});
    EXPECT_EQ(seen.offered.size(), 1u);
    EXPECT_EQ(seen.sent, std::vector<std::string>{"DELETE /a/c/deleted"});
    EXPECT_EQ(counts.tombstones, 1u);
    EXPECT_EQ(seen.delivered.count(tombstone), 1u);
}

TEST_F(RevertObjectsTest, ALimitOfOffersIsSaidAndKept) {
    std::vector<swift::SuffixName> suffixes;
    for (int i = 0; i < 5; ++i)
        suffixes.push_back(suffix_of(put("/a/c/" + std::to_string(i), archive(1))));
    objects_max = 5;
    EXPECT_EQ(run(suffixes, {}).offered.size(), 5u);
    EXPECT_FALSE(limited);
    objects_max = 3;
    EXPECT_EQ(run(suffixes, {}).delivered.size(), 3u);
    EXPECT_TRUE(limited);
    EXPECT_TRUE(
        lines.contains("ssync missing_check truncated after 3 objects: device: d1, "
                       "part: 7, policy: 1"));
}

TEST_F(RevertObjectsTest, FragmentUnderAWrongNameIsNotSent) {
    const auto hash = put("/a/c/o", archive(1));
    ondisk::fs::rename(folder(hash) + "/" + swift::data_file_name(ago(1000), 0, true),
                       folder(hash) + "/" + swift::data_file_name(ago(1000), 1, true));
    index = 1;
    const auto seen = run({suffix_of(hash)}, {want(hash)});
    EXPECT_EQ(seen.offered.size(), 1u);
    EXPECT_TRUE(seen.sent.empty());
    EXPECT_TRUE(seen.delivered.empty());
    EXPECT_EQ(counts.failures.count(errc::bad_metadata), 1u);
}

TEST_F(RevertObjectsTest, FoldedMetadataIsSentUnfolded) {
    const auto hash = put("/a/c/o", archive(1));
    set_metadata(hash, "X-Object-Meta-A", "foo\r\n bar");
    post("/a/c/o", "X-Object-Meta-B", "foo \n\tbar");
    auto both = want(hash);
    both.meta = true;
    const auto seen = run({suffix_of(hash)}, {both});
    ASSERT_EQ(seen.sent, (std::vector<std::string>{"PUT /a/c/o", "POST /a/c/o"}));
    EXPECT_EQ(*header(seen.heads[0], "X-Object-Meta-A"), "foo bar");
    EXPECT_EQ(*header(seen.heads[1], "X-Object-Meta-B"), "foo bar");
    EXPECT_EQ(seen.delivered.count(hash), 1u);
    EXPECT_FALSE(incomplete);
}

TEST_F(RevertObjectsTest, ObjectWhoseMetadataBreaksItsLineIsLeftOutAndKept) {
    const auto in_data = put("/a/c/in-data", archive(1));
    set_metadata(in_data, "X-Object-Meta-A", "a\nb");
    const auto in_meta = put("/a/c/in-meta", archive(1));
    post("/a/c/in-meta", "X-Object-Meta-A", "a\rb");
    const auto good = put("/a/c/good", archive(1));
    auto both = want(in_meta);
    both.meta = true;
    auto meta = want(in_meta);
    meta.data = false;
    meta.meta = true;
    for (const auto& wanted : {want(in_data), both, meta}) {
        const auto bad = wanted.object_hash.hex();
        const auto seen = run({suffix_of(bad), suffix_of(good)}, {wanted, want(good)});
        EXPECT_FALSE(seen.error);
        EXPECT_EQ(seen.sent, std::vector<std::string>{"PUT /a/c/good"});
        EXPECT_FALSE(seen.delivered.contains(bad));
        EXPECT_TRUE(seen.delivered.contains(good));
        EXPECT_TRUE(incomplete);
        EXPECT_EQ(counts.failures, (std::map<errc, std::uint64_t>{{errc::bad_metadata, 1}}));
        EXPECT_EQ(counts.fragments, 1u);
        EXPECT_EQ(counts.metas, 0u);
        EXPECT_TRUE(ondisk::fs::exists(folder(bad)));
    }
}

TEST_F(RevertObjectsTest, SuffixThatCannotBeListedIsCountedAndTheOthersGoOn) {
    const auto hash = put("/a/c/o", archive(1));
    const std::string blocked = suffix_of(hash) == "abc" ? "abd" : "abc";
    ondisk::write_file(partition_path() + "/" + blocked, "a file");
    const auto seen = run({blocked, suffix_of(hash)}, {want(hash)});
    EXPECT_EQ(seen.delivered.size(), 1u);
    EXPECT_TRUE(incomplete);
}

TEST(Delivered, OnlyWhatEveryTargetTookAtTheSameTimes) {
    const Timestamp one{1000, 0};
    const Timestamp two{2000, 0};
    const auto offer = [](std::string hash, Timestamp data, std::optional<bool> durable) {
        return std::pair(hash, swift::LocalOffer{hash, data, {}, {}, durable});
    };
    Delivered all{offer("a", one, true), offer("b", one, true), offer("c", one, true),
                  offer("d", one, {})};
    keep_common(all, {offer("a", one, true), offer("b", two, true), offer("c", one, false),
                      offer("d", one, {}), offer("e", one, true)});
    ASSERT_EQ(all.size(), 2u);
    EXPECT_TRUE(all.contains("a"));
    EXPECT_TRUE(all.contains("d"));
}

}  // namespace
}  // namespace fragmend::sync
