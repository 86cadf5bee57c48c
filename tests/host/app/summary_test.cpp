// The summary's words and numbers.
#include "host/app/summary.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace fragmend::app {
namespace {

sync::PassStats some_stats() {
    sync::PassStats stats;
    stats.devices = 2;
    stats.partitions = 10;
    stats.partitions_done = 5;
    stats.fragments_rebuilt = 3;
    stats.bytes_rebuilt = 3 << 20;
    stats.targets["127.0.0.1:6200/d1"] = {
        .sessions = 2, .offered = 4, .fragments_rebuilt = 3, .bytes_rebuilt = 3 << 20};
    return stats;
}

TEST(Summary, CleanPassIsDone) {
    const auto stats = some_stats();
    EXPECT_FALSE(stats.work_remains());
    EXPECT_TRUE(summary_text(stats, 2.0).starts_with("fragmend: done\n"));
    EXPECT_NE(summary_text(stats, 2.0).find("to 127.0.0.1:6200/d1: 3 fragments (3.0 MiB)"),
              std::string::npos);
}

TEST(Summary, TooFewFragmentsIsUnrecoverableButNotWorkThatRemains) {
    auto stats = some_stats();
    stats.object_failed(errc::too_few_fragments);
    EXPECT_TRUE(stats.anything_unrecoverable());
    EXPECT_FALSE(stats.work_remains());
    stats.object_failed(errc::wrong_bytes);
    EXPECT_TRUE(stats.work_remains());
    EXPECT_NE(
        summary_text(stats, 1).find("failed objects     2 (too_few_fragments 1, wrong_bytes 1)"),
        std::string::npos);
}

TEST(Summary, WorkThatRemainsIsSaidBeforeWhatCannotBeDone) {
    auto stats = some_stats();
    stats.object_failed(errc::too_few_fragments);
    EXPECT_TRUE(summary_text(stats, 1).starts_with("fragmend: done, but some objects"));
    stats.session_failed(errc::disconnected);
    EXPECT_TRUE(summary_text(stats, 1).starts_with("fragmend: work remains"));
}

TEST(Summary, JsonIsUtf8WhateverNamesHold) {
    auto stats = some_stats();
    stats.bad_survivor({"d", "/a/c/\xc3\xa9\xff\xc3", "\xe2\x82"});
    const auto parsed = boost::json::parse(summary_json(stats, 1)).as_object();
    const auto& bad = parsed.at("bad_survivors").as_array()[0].as_object();
    EXPECT_EQ(std::string(bad.at("object").as_string()), "/a/c/" + std::string(4, '?'));
    EXPECT_EQ(std::string(bad.at("reason").as_string()), "??");
}

TEST(Summary, JsonSaysTheSame) {
    auto stats = some_stats();
    stats.bad_survivor({"127.0.0.2:6200/d2", "/a/c/o", "MD5 \"x\""});
    const auto parsed = boost::json::parse(summary_json(stats, 1.5)).as_object();
    EXPECT_EQ(parsed.at("fragments_rebuilt").to_number<int>(), 3);
    EXPECT_EQ(parsed.at("bad_survivors").as_array().size(), 1u);
    EXPECT_EQ(
        parsed.at("targets").as_object().at("127.0.0.1:6200/d1").at("sessions").to_number<int>(),
        2);
}

TEST(Summary, ProgressGivesTheTimeLeftAsARange) {
    EXPECT_NE(progress_line(some_stats(), 10, 1.0).find("left 5 s to 10 s"), std::string::npos);
    EXPECT_EQ(progress_line(some_stats(), 10, 0).find("left"), std::string::npos);
}

TEST(Summary, WorkersSummariesBecomeOne) {
    auto one = some_stats();
    one.session_failed(errc::disconnected);
    auto other = some_stats();
    other.session_failed(errc::disconnected);
    other.session_failed(errc::timeout);
    other.targets["127.0.0.1:6200/d2"].sessions = 7;
    other.bad_survivor({"d", "/a/c/o", "r"});
    one.waits = {.source = std::chrono::seconds(5), .starving = std::chrono::seconds(5)};
    other.waits = {.starving = std::chrono::seconds(5), .decode = std::chrono::seconds(9)};
    one.waits.disk = other.waits.disk = std::chrono::seconds(2);
    one.codec_times =
        other.codec_times = {.verify = std::chrono::seconds(3), .decode = std::chrono::seconds(1)};
    const auto merged = boost::json::parse(
        merge_summaries({summary_json(one, 3.5), "no JSON", summary_json(other, 2)}));
    EXPECT_EQ(merged.at("fragments_rebuilt").to_number<int>(), 6);
    EXPECT_EQ(merged.at("seconds").to_number<double>(), 3.5);
    EXPECT_TRUE(merged.at("work_remains").as_bool());
    EXPECT_EQ(merged.at("limited_by"), "decode");
    EXPECT_EQ(merged.at("waits_ms").at("disk").to_number<int>(), 4000);
    EXPECT_EQ(merged.at("codec_ms").at("verify").to_number<int>(), 6000);
    EXPECT_EQ(merged.at("codec_ms").at("decode").to_number<int>(), 2000);
    EXPECT_EQ(merged.at("failed_sessions").at("disconnected").to_number<int>(), 2);
    EXPECT_EQ(merged.at("failed_sessions").at("timeout").to_number<int>(), 1);
    const auto& targets = merged.at("targets").as_object();
    EXPECT_EQ(targets.at("127.0.0.1:6200/d1").at("sessions").to_number<int>(), 4);
    EXPECT_EQ(targets.at("127.0.0.1:6200/d2").at("sessions").to_number<int>(), 7);
    EXPECT_EQ(merged.at("bad_survivors").as_array().size(), 1u);
}

TEST(Summary, ProgressFitsTheWindow) {
    EXPECT_EQ(fit_to_columns("abcdef", 0), "abcdef");
    EXPECT_EQ(fit_to_columns("abcdef", 6), "abcdef");
    EXPECT_EQ(fit_to_columns("abcdef", 4), "abcd");
    EXPECT_EQ(fit_to_columns("ab\xc3\xa9", 3), "ab");
}

TEST(Summary, UnitsForPeople) {
    EXPECT_EQ(human_bytes(17), "17 bytes");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_seconds(425), "7 min 05 s");
    EXPECT_EQ(human_seconds(12000), "3 h 20 min");
}

}  // namespace
}  // namespace fragmend::app
