// Sessions with one partner, one after the other, against a scripted receiver.
#include "host/sync/partner_sync.hpp"

#include <gtest/gtest.h>

#include "host/swift/partition_hashes.hpp"
#include "host/swift/replicate_answer.hpp"
#include "tests/host/sync/session_fixture.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::sync {
namespace {

using test::chunk;
using test::PeerConnection;
using test::PeerScript;

constexpr std::string_view offers_end = ":MISSING_CHECK: END\r\n\r\n";

/// Has nothing of the partition.
void answer_replicate(PeerConnection& peer) {
    const auto body = swift::dump_replicate_answer({});
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body);
}

/// Wants whatever is offered and says `verdict` when all of it has come. `meanwhile` happens when
/// the session has begun.
PeerScript receiver(
    std::string verdict, std::vector<std::string>& offered,
    std::function<void()> meanwhile = [] {}) {
    return [verdict = std::move(verdict), meanwhile = std::move(meanwhile),
            &offered](PeerConnection& peer) {
        peer.read_until("\r\n\r\n");
        meanwhile();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        peer.read_until(":MISSING_CHECK: START\r\n\r\n");
        const auto offers = peer.read_until(offers_end);
        const auto hash = offers.substr(offers.find("\r\n") + 2, 32);
        offered.push_back(hash);
        peer.send(chunk(":MISSING_CHECK: START\r\n") + chunk(hash + " d\r\n") +
                  chunk(":MISSING_CHECK: END\r\n"));
        peer.read_until(":UPDATES: END\r\n\r\n");
        peer.send(chunk(verdict) + "0\r\n\r\n");
        peer.read_to_end();
    };
}

struct PartnerSyncTest : testing::SessionFixture {
    /// Sessions of one object each, for a partner that lacks `one` and `two`.
    void send(std::vector<PeerScript> scripts) {
        scripts.insert(scripts.begin(), answer_replicate);
        test::ScriptedPeer peer(std::move(scripts));
        scan::SyncJob job{.partition = "7",
                          .path = partition_path(),
                          .local_device = plan({}).local_device,
                          .fragment_index = 0,
                          .suffixes = {},
                          .partners = {},
                          .hashes = {}};
        const auto hashed =
            swift::get_hashes(context, "d1", "7", {.recalculate = {}, .list_directory = true});
        job.hashes = scan::HashPairs(hashed->hashes, 0);
        ASSERT_EQ(job.hashes.size(), 2u);
        scan::Partner partner{swift::test::make_node(1), 1};
        partner.node.replication_ip = "127.0.0.1";
        partner.node.replication_port = peer.port();
        target = partner.node.replication_name();
        Services shared = services();
        shared.offers_max = 1;
        Holes holes;
        const scan::Agreement agreement(job.hashes);
        ReplicateCalls calls(shared, policy, job.partition, activity);
        PartnerSync sync(shared, policy, job, partner, agreement, holes, calls, activity);
        running = &sync;
        EXPECT_TRUE(test::run_coroutine(io, look_and_send(sync)));
        peer.finish();
    }
    static Awaitable<bool> look_and_send(PartnerSync& sync) {
        co_await sync.look(true);
        co_await sync.send({});
        co_return true;
    }

    const std::string one = put("/a/c/one", archive(1));
    const std::string two = put("/a/c/two", archive(1));
    std::vector<std::string> offered;
    std::string target;
    PartnerSync* running = nullptr;
};

const std::string refused_one = ":ERROR: 500 'ERROR: With :UPDATES: 1 failures to 0 successes'\r\n";
const std::string content = ":UPDATES: START\r\n:UPDATES: END\r\n";

TEST_F(PartnerSyncTest, RefusedObjectCostsNothingBehindItsSession) {
    send({receiver(refused_one, offered), receiver(content, offered)});
    ASSERT_EQ(offered.size(), 2u);
    EXPECT_NE(offered[0], offered[1]);
    EXPECT_EQ(stats.targets[target].sessions, 2u);
    EXPECT_EQ(stats.targets[target].sessions_failed, 1u);
    EXPECT_EQ(stats.failed_sessions, (std::map<std::string, std::uint64_t>{{"protocol", 1}}));
    EXPECT_EQ(stats.fragments_rebuilt, 1u);
    EXPECT_EQ(stats.suffixes_synced, 2u);
    EXPECT_TRUE(risks.losses().contains({policy.policy.index, swift::test::make_node(1).id}));
}

TEST_F(PartnerSyncTest, EverySessionMayBeRefusedOnce) {
    send({receiver(refused_one, offered), receiver(refused_one, offered)});
    EXPECT_EQ(offered.size(), 2u);
    EXPECT_EQ(stats.failed_sessions, (std::map<std::string, std::uint64_t>{{"protocol", 2}}));
    EXPECT_EQ(stats.fragments_rebuilt, 0u);
}

TEST_F(PartnerSyncTest, APauseLetsTheSessionEndAndHoldsTheNext) {
    send({receiver(content, offered, [this] { pause_from_peer(); }), answer_replicate,
          receiver(content, offered)});
    EXPECT_EQ(pauses, 1);
    EXPECT_EQ(offered.size(), 2u);
    EXPECT_EQ(stats.fragments_rebuilt, 2u);
}

TEST_F(PartnerSyncTest, DrainedItEndsTheSessionAndBeginsNoOther) {
    const auto drain = [this] { running->cancel(Ending::after_session); };
    send({receiver(content, offered, [this, drain] { asio::post(io, drain); })});
    EXPECT_EQ(offered.size(), 1u);
    EXPECT_EQ(stats.fragments_rebuilt, 1u);
    EXPECT_TRUE(stats.failed_sessions.empty());
}

/// What lacks a verdict is no reason to offer such a receiver the rest.
TEST_F(PartnerSyncTest, ErrorBeforeTheVerdictEndsWithThePartner) {
    send({[](PeerConnection& peer) {
              peer.read_until("\r\n\r\n");
              peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                        chunk(":ERROR: 0 'no such file'\r\n"));
              peer.read_to_end();
          },
          receiver(content, offered)});
    EXPECT_TRUE(offered.empty());
    EXPECT_EQ(stats.targets[target].sessions, 1u);
    EXPECT_EQ(stats.failed_sessions, (std::map<std::string, std::uint64_t>{{"protocol", 1}}));
}

}  // namespace
}  // namespace fragmend::sync
