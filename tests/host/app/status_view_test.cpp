// Snapshots: what limits the work, and what a person sees of strange ones.
#include "host/app/status_view.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace fragmend::app {
namespace {

using namespace std::chrono_literals;

sync::ActivityView job(const std::string& doing) {
    return {"SYNC of d1/3 policy#1", doing, 4s, 9s, false};
}

StatusSource source_of(const sync::PassStats& stats) {
    StatusSource source;
    source.pid = 4711;
    source.share = {{"d1", "d3"}, {}, 0, 2};
    source.state = "pass";
    source.uptime_s = 100;
    source.pass = &stats;
    source.pass_s = 10;
    source.recent_s = 5;
    source.now.memory_in_use_bytes = 1 << 20;
    source.now.memory_limit_bytes = 128 << 20;
    source.sessions = {3, 8};
    return source;
}

TEST(LimitedBy, TheLongestRecentWait) {
    const sync::PassStats stats;
    auto source = source_of(stats);
    // Long ago it was memory; of late it is the decoding.
    source.now.waits.memory = 500s;
    source.recent_waits.decode = 3s;
    source.recent_waits.network = 2s;
    EXPECT_EQ(limited_by(source), "decode: this machine's compute");
    source.recent_waits.throttle = 3s;
    EXPECT_EQ(limited_by(source), "throttle: fragmend_*_limit or fragmend_profile");
}

TEST(LimitedBy, WithoutRebuildsWhatMostJobsDo) {
    const sync::PassStats stats;
    auto source = source_of(stats);
    source.recent_waits.decode = 1ms;
    source.jobs = {job("asks 10.0.0.1:6200/d3 for suffix hashes"),
                   job("asks 10.0.0.2:6200/d4 for suffix hashes"), job("hashes local suffixes")};
    EXPECT_EQ(limited_by(source), "2 of 3 jobs: asks for suffix hashes");
    source.jobs.clear();
    EXPECT_EQ(limited_by(source), "nothing: no job runs");
    source.pass = nullptr;
    EXPECT_EQ(limited_by(source), "nothing: no pass runs");
}

TEST(StatusView, SaysWhatAPersonNeeds) {
    sync::PassStats stats;
    stats.partitions = 300;
    stats.partitions_done = 100;
    stats.fragments_rebuilt = 7;
    stats.bytes_rebuilt = 20 << 20;
    stats.session_failed(errc::timeout);
    auto source = source_of(stats);
    source.jobs = {job("in a session with 10.0.0.1:6200/d3")};
    const auto status = boost::json::parse(boost::json::serialize(status_json(source))).as_object();
    EXPECT_EQ(status.at("pass").at("fragments_rebuilt").to_number<int>(), 7);
    EXPECT_EQ(status.at("throttle").at("profile"), "urgent");
    const auto text = status_text(status);
    for (const char* part :
         {"process 4711 (worker 1 of 2): pass, up 1 min 40 s, 0 passes done\n",
          "100 of 300 partitions in 10 s, about 20 s left\n", "7 fragments, 20.0 MiB (2.1 MB/s)\n",
          "failed_sessions   1 timeout\n", "limited   by 1 of 1 jobs: in a session with\n",
          "1.0 MiB of 128.0 MiB memory, 3 of 8 sessions",
          "SYNC of d1/3 policy#1: in a session with 10.0.0.1:6200/d3 for 4 s\n"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
    }
}

TEST(StatusView, TheLogGetsTheSameNumbers) {
    const sync::PassStats stats;
    auto source = source_of(stats);
    source.now.rebuilds.objects_started = 12;
    source.now.rebuilds.objects_verified = 5;
    source.now.batches.batches = 2;
    source.now.batches.items = 9;
    source.now.decode_queue_items = 3;
    source.recent_waits.decode = 3s;
    EXPECT_EQ(heartbeat_line(source),
              "3 of 8 sessions, 7 objects at work, 4.5 pieces a batch, 3 queued, 1.0 MiB of 128.0 "
              "MiB memory; limited by decode: this machine's compute");
}

TEST(StatusView, StrangeAnswersReachNoTerminal) {
    for (const char* strange :
         {"{}", R"({"pid": "x", "pass": [], "jobs": {}, "memory_bytes": 5, "worker": null})",
          R"({"pid": -1e300, "pass": {"partitions": 1e300, "partitions_done": -5,
              "failed_objects": {"x": "y", "\u001b[2J": 3}}, "jobs": [1, {"job": 5}, null]})"}) {
        const auto text = status_text(boost::json::parse(strange).as_object());
        EXPECT_NE(text.find("process"), std::string::npos);
    }
    const auto text = status_text(
        boost::json::parse(R"({"state": "\u001b[2J", "limited_by": "a\nb"})").as_object());
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find("a?b"), std::string::npos);
}

}  // namespace
}  // namespace fragmend::app
