// A REVERT job's sessions and removals, slice by slice, against a scripted receiver.
#include "host/sync/revert_job.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/host/sync/session_fixture.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::sync {
namespace {

using test::chunk;
using test::PeerConnection;
using test::PeerScript;

/// What one session was offered, and which of the objects lay on the disk then.
struct Session {
    std::vector<std::string> offered;
    std::vector<std::string> there;
    bool operator==(const Session&) const = default;
};

struct RevertJobTest : testing::SessionFixture {
    RevertJobTest() {
        for (const char* path : {"/a/c/one", "/a/c/two", "/a/c/three"})
            hashes.push_back(put(path, archive(1)));
        std::ranges::sort(hashes, {}, suffix_of);
    }
    static std::string suffix_of(const std::string& hash) { return hash.substr(29); }
    std::vector<std::string> objects_there() const {
        std::vector<std::string> there;
        for (const auto& hash : hashes) {
            const auto file = partition_path() + "/" + suffix_of(hash) + "/" + hash + "/" +
                              swift::data_file_name(ago(1000), 0, true);
            if (::access(file.c_str(), F_OK) == 0) there.push_back(hash);
        }
        return there;
    }

    /// Has all of what it is offered.
    PeerScript in_sync(std::function<void()> meanwhile = [] {}) {
        return [this, meanwhile = std::move(meanwhile)](PeerConnection& peer) {
            peer.read_until("\r\n\r\n");
            meanwhile();
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            peer.read_until(":MISSING_CHECK: START\r\n\r\n");
            const auto text = peer.read_until(":MISSING_CHECK: END\r\n\r\n");
            Session session{{}, objects_there()};
            for (const auto& hash : hashes) {
                if (text.find(hash) != std::string::npos) session.offered.push_back(hash);
            }
            sessions_seen.push_back(std::move(session));
            peer.send(chunk(":MISSING_CHECK: START\r\n") + chunk(":MISSING_CHECK: END\r\n"));
            peer.read_until(":UPDATES: END\r\n\r\n");
            peer.send(chunk(":UPDATES: START\r\n:UPDATES: END\r\n") + "0\r\n\r\n");
            peer.read_to_end();
        };
    }
    /// Lacks the first object; `then` plays the updates.
    PeerScript lacks_first(PeerScript then) {
        return [this, then = std::move(then)](PeerConnection& peer) {
            peer.read_until("\r\n\r\n");
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            peer.read_until(":MISSING_CHECK: END\r\n\r\n");
            sessions_seen.push_back({only(0), objects_there()});
            peer.send(chunk(":MISSING_CHECK: START\r\n") + chunk(hashes[0] + " d\r\n") +
                      chunk(":MISSING_CHECK: END\r\n"));
            then(peer);
        };
    }
    PeerScript hangs_up() {
        return [this](PeerConnection& peer) {
            peer.read_until("\r\n\r\n");
            sessions_seen.push_back({});
            peer.reset();
        };
    }

    /// Slices of one object each.
    void revert(std::size_t targets_count, std::vector<PeerScript> scripts) {
        test::ScriptedPeer peer(std::move(scripts));
        scan::RevertJob job{.partition = "7",
                            .path = partition_path(),
                            .local_device = plan({}).local_device,
                            .fragment_index = 0,
                            .suffixes = {},
                            .targets = {},
                            .primary_fragment_index = {}};
        for (const auto& hash : hashes)
            job.suffixes.push_back(suffix_of(hash));
        for (std::size_t i = 0; i < targets_count; ++i) {
            scan::Partner target{swift::test::make_node(static_cast<int>(i) + 1), i};
            target.node.replication_ip = "127.0.0.1";
            target.node.replication_port = peer.port();
            job.targets.push_back(std::move(target));
        }
        Services shared = services();
        shared.offers_max = 1;
        RevertJobRun run(shared, policy, job);
        running = &run;
        EXPECT_TRUE(test::run_coroutine(io, run_whole(run)));
        peer.finish();
    }
    static Awaitable<bool> run_whole(RevertJobRun& run) {
        co_await run.run();
        co_return true;
    }
    std::vector<std::string> only(std::size_t i) const { return {hashes[i]}; }
    std::vector<std::string> from(std::size_t i) const {
        return {hashes.begin() + static_cast<std::ptrdiff_t>(i), hashes.end()};
    }

    RevertJobRun* running = nullptr;
    std::vector<std::string> hashes;
    std::vector<Session> sessions_seen;  ///< One session at a time, each before the next.
};

TEST_F(RevertJobTest, EachSliceIsRemovedBeforeTheNextIsOffered) {
    revert(1, {in_sync(), in_sync(), in_sync()});
    EXPECT_EQ(sessions_seen,
              (std::vector<Session>{{only(0), from(0)}, {only(1), from(1)}, {only(2), from(2)}}));
    EXPECT_TRUE(objects_there().empty());
    EXPECT_EQ(stats.objects_purged, 3u);
    EXPECT_EQ(stats.handoffs_remaining, 0u);
}

TEST_F(RevertJobTest, EveryTargetIsOfferedTheSliceBeforeItIsRemoved) {
    revert(2, {in_sync(), in_sync(), in_sync(), in_sync(), in_sync(), in_sync()});
    EXPECT_EQ(sessions_seen, (std::vector<Session>{{only(0), from(0)},
                                                   {only(0), from(0)},
                                                   {only(1), from(1)},
                                                   {only(1), from(1)},
                                                   {only(2), from(2)},
                                                   {only(2), from(2)}}));
    EXPECT_TRUE(objects_there().empty());
    EXPECT_EQ(stats.handoffs_remaining, 0u);
}

TEST_F(RevertJobTest, ATargetThatFailsCostsTheOthersNothing) {
    revert(2, {hangs_up(), in_sync(), in_sync(), in_sync()});
    EXPECT_EQ(sessions_seen, (std::vector<Session>{
                                 {}, {only(0), from(0)}, {only(1), from(0)}, {only(2), from(0)}}));
    EXPECT_EQ(objects_there(), hashes);
    EXPECT_EQ(stats.objects_purged, 0u);
    EXPECT_EQ(stats.handoffs_remaining, 1u);
}

TEST_F(RevertJobTest, ATargetThatFailsLaterKeepsWhatComesAfter) {
    revert(2, {in_sync(), in_sync(), in_sync(), hangs_up(), in_sync()});
    EXPECT_EQ(
        sessions_seen,
        (std::vector<Session>{
            {only(0), from(0)}, {only(0), from(0)}, {only(1), from(1)}, {}, {only(2), from(1)}}));
    EXPECT_EQ(objects_there(), from(1));
    EXPECT_EQ(stats.objects_purged, 1u);
    EXPECT_EQ(stats.handoffs_remaining, 1u);
}

TEST_F(RevertJobTest, AnObjectThatIsGivenUpHalfwayCostsTheOthersNothing) {
    for (const char* path : {"/a/c/one", "/a/c/two", "/a/c/three"}) {
        if (hash_of(path) == hashes[0]) put(path, archive(200));
    }
    const PeerScript give_up = [this](PeerConnection& peer) {
        peer.read_until("PUT /a/c/");
        asio::post(io, [this] { suspects.give_up(hashes[0]); });
        peer.read_to_end();
    };
    std::string updates;
    const PeerScript content = [&updates](PeerConnection& peer) {
        updates = peer.read_until(":UPDATES: END\r\n\r\n");
        peer.send(chunk(":UPDATES: START\r\n:UPDATES: END\r\n") + "0\r\n\r\n");
        peer.read_to_end();
    };
    revert(1, {lacks_first(give_up), lacks_first(content), in_sync(), in_sync()});
    EXPECT_EQ(updates.find("PUT"), updates.npos);
    EXPECT_EQ(objects_there(), only(0));
    EXPECT_EQ(stats.objects_purged, 2u);
    EXPECT_EQ(stats.handoffs_remaining, 1u);
}

TEST_F(RevertJobTest, APauseLetsTheSliceEndAndHoldsTheNext) {
    revert(1, {in_sync([this] { pause_from_peer(); }), in_sync(), in_sync()});
    EXPECT_EQ(pauses, 1);
    EXPECT_TRUE(objects_there().empty());
    EXPECT_EQ(stats.objects_purged, 3u);
    EXPECT_EQ(stats.handoffs_remaining, 0u);
}

TEST_F(RevertJobTest, DrainedItRemovesWhatWasDeliveredAndBeginsNoOtherSession) {
    const auto drain = [this] { running->cancel(Ending::after_session); };
    revert(1, {in_sync([this, drain] { asio::post(io, drain); })});
    EXPECT_EQ(sessions_seen.size(), 1u);
    EXPECT_EQ(objects_there(), from(1));
    EXPECT_EQ(stats.objects_purged, 1u);
    EXPECT_EQ(stats.handoffs_remaining, 1u);
}

TEST_F(RevertJobTest, TheLimitOfObjectsHoldsForTheJob) {
    options.max_objects_per_revert = 2;
    revert(1, {in_sync(), in_sync(), in_sync()});
    ASSERT_EQ(sessions_seen.size(), 3u);
    EXPECT_TRUE(sessions_seen[2].offered.empty());
    EXPECT_EQ(objects_there(), only(2));
    EXPECT_EQ(stats.handoffs_remaining, 1u);
}

}  // namespace
}  // namespace fragmend::sync
