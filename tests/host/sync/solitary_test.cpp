// The last fragment of an object, while whoever might have another one is asked.
#include "host/sync/solitary.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/host/sync/session_fixture.hpp"
#include "tests/support/scripted_peer.hpp"

namespace fragmend::sync {
namespace {

namespace ondisk = testing::ondisk;

struct SolitaryTest : testing::SessionFixture {
    SolitaryTest() {
        policy.policy.k = 2;
        options.quarantine_threshold = 1;
        options.quarantine_age_s = 100;
    }
    std::string folder() const { return partition_path() + "/" + hash.substr(29) + "/" + hash; }

    /// The third primary has nothing; `meanwhile` happens before it says so.
    bool quarantine(std::function<void()> meanwhile) {
        return quarantine_with([&meanwhile](test::PeerConnection& connection) {
            connection.read_until("\r\n\r\n");
            meanwhile();
            connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            connection.read_to_end();
        });
    }
    bool quarantine_with(test::PeerScript third) {
        test::ScriptedPeer peer({std::move(third)});
        const auto row = [](std::uint16_t device) { return std::vector<std::uint16_t>(8, device); };
        auto parts = swift::test::make_parts({row(0), row(1), row(2)}, 3);
        parts.devices[2]->replication_ip = "127.0.0.1";
        parts.devices[2]->replication_port = peer.port();
        policy.ring = swift::Ring::make(std::move(parts)).value();
        const auto object = swift::open_object(context, "d1", "7", hash, {0, std::nullopt, true});
        EXPECT_TRUE(object.has_value());
        Services shared = services();
        shared.throttle = &polite;
        const auto session = plan({});
        const bool moved = test::run_coroutine(
            io, quarantine_if_solitary(shared, policy, session, object.value(), stop));
        peer.finish();
        return moved;
    }
    const std::string hash = put("/a/c/o", archive(1));
    InquiryStop stop;
    scheduler::Throttle polite{
        io.get_executor(), clock, rebuild_stats, {{}, {}, scheduler::Profile::polite}};
};

TEST_F(SolitaryTest, IsQuarantinedWhenEverybodyElseHasNothing) {
    EXPECT_TRUE(quarantine([] {}));
    EXPECT_FALSE(ondisk::fs::exists(folder()));
    EXPECT_TRUE(ondisk::fs::exists(scratch / ("d1/quarantined/objects-1/" + hash)));
}

TEST_F(SolitaryTest, WhoIsStoppedWaitsForNoAnswerAndQuarantinesNothing) {
    EXPECT_FALSE(quarantine_with([this](test::PeerConnection& connection) {
        connection.read_until("\r\n\r\n");
        asio::post(io, [this] { stop.now(); });
        connection.read_to_end();
    }));
    EXPECT_TRUE(ondisk::fs::exists(folder()));
    EXPECT_FALSE(lines.contains("Trying to GET")) << "a timeout says so";
}

TEST_F(SolitaryTest, AnswersAreHeardByTheProfile) {
    const std::string peer = "127.0.0.1";
    const auto is_known = [&] {
        const auto until = clock.steady() + scheduler::Courtesy::step * 2;
        while (polite.pace() == 1 && clock.steady() < until)
            polite.no_answer(peer, std::chrono::seconds(10));
        return polite.pace() < 1;
    };
    EXPECT_FALSE(is_known());
    EXPECT_TRUE(quarantine([] {}));
    EXPECT_TRUE(is_known());
}

TEST_F(SolitaryTest, WhatWasDeletedOrReplacedMeanwhileStays) {
    const std::string data = folder() + "/" + swift::data_file_name(ago(1000), 0, true);
    const std::string newer = folder() + "/" + swift::data_file_name(ago(10), 0, true);
    const std::string tombstone = folder() + "/" + swift::tombstone_file_name(ago(10));
    EXPECT_FALSE(quarantine([&] { ondisk::fs::rename(data, newer); }));
    EXPECT_TRUE(ondisk::fs::exists(newer));
    ondisk::fs::rename(newer, data);
    EXPECT_FALSE(quarantine([&] {
        ondisk::write_file(tombstone);
        swift::Metadata metadata;
        metadata.set("X-Timestamp", ago(10).internal());
        metadata.set("name", "/a/c/o");
        const UniqueFd fd(::open(tombstone.c_str(), O_RDONLY));
        EXPECT_TRUE(swift::write_metadata(fd.get(), tombstone, metadata).has_value());
        ondisk::fs::remove(data);
    }));
    EXPECT_TRUE(ondisk::fs::exists(tombstone));
    EXPECT_EQ(quarantines.load(), 0u);
}

}  // namespace
}  // namespace fragmend::sync
