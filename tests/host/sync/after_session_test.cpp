// What a lost session asks for, and what is remembered of a pass.
#include <gtest/gtest.h>

#include "host/sync/sync_job.hpp"

namespace fragmend::sync {
namespace {

transport::ssync::SessionResult lost(errc code) {
    transport::ssync::SessionResult result;
    result.error = Error{code, "why"};
    return result;
}

TEST(AfterSession, SuccessIsDoneAtAnyTry) {
    transport::ssync::SessionResult result;
    result.success = true;
    EXPECT_EQ(after_session(result, 1), AfterSession::done);
    EXPECT_EQ(after_session(result, session_tries_max), AfterSession::done);
}

TEST(AfterSession, LostConnectionIsTriedAgainAtOnceAndALockLater) {
    for (int tries = 1; tries < session_tries_max; ++tries) {
        EXPECT_EQ(after_session(lost(errc::disconnected), tries), AfterSession::try_again);
        EXPECT_EQ(after_session(lost(errc::lock_timeout), tries), AfterSession::try_again_later);
    }
    EXPECT_EQ(after_session(lost(errc::disconnected), session_tries_max), AfterSession::give_up);
    EXPECT_EQ(after_session(lost(errc::lock_timeout), session_tries_max), AfterSession::give_up);
}

TEST(AfterSession, RefusalsAndSilenceAreLeftToTheNextPass) {
    for (const errc code : {errc::bad_status, errc::not_mounted, errc::protocol,
                            errc::connect_failed, errc::timeout, errc::cancelled, errc::internal}) {
        EXPECT_EQ(after_session(lost(code), 1), AfterSession::give_up) << to_string(code);
    }
    EXPECT_EQ(after_session({}, 1), AfterSession::give_up);
}

TEST(Suspects, NamesEachDeviceOnceAndOnlyForItsObject) {
    Suspects suspects;
    suspects.add("x", 3);
    suspects.add("x", 5);
    suspects.add("x", 3);
    EXPECT_EQ(suspects.of("x"), (std::vector<std::uint32_t>{3, 5}));
    EXPECT_TRUE(suspects.of("y").empty());
}

TEST(Suspects, GivesUpOnAnObjectThatBrokeTwoSessions) {
    Suspects suspects;
    suspects.broke_session("x", {errc::timeout, "one"});
    EXPECT_FALSE(suspects.why_it_broke("x"));
    suspects.broke_session("x", {errc::limit, "two"});
    ASSERT_TRUE(suspects.why_it_broke("x"));
    EXPECT_EQ(suspects.why_it_broke("x")->detail, "two");
    EXPECT_FALSE(suspects.why_it_broke("y"));
}

TEST(Suspects, GivesAnotherSessionForEverySurvivorThatWasNamed) {
    Suspects suspects;
    suspects.add("x", 3);
    suspects.broke_session("x", {errc::wrong_bytes, "one"});
    suspects.add("x", 5);
    suspects.broke_session("x", {errc::wrong_bytes, "two"});
    suspects.broke_session("x", {errc::wrong_bytes, "three"});
    EXPECT_FALSE(suspects.why_it_broke("x"));
    suspects.broke_session("x", {errc::wrong_bytes, "four"});
    EXPECT_TRUE(suspects.why_it_broke("x"));
}

TEST(PassStats, TellsWorkThatRemainsFromWhatCannotBeDone) {
    PassStats stats;
    EXPECT_FALSE(stats.work_remains());
    stats.object_failed(errc::too_few_fragments, 2);
    EXPECT_TRUE(stats.anything_unrecoverable());
    EXPECT_FALSE(stats.work_remains());
    stats.object_failed(errc::limit);
    EXPECT_TRUE(stats.work_remains());
    EXPECT_EQ(stats.failed_objects["too_few_fragments"], 2u);
}

TEST(PassStats, PassThatWasStoppedLeavesWork) {
    PassStats stats;
    stats.stopped = true;
    EXPECT_TRUE(stats.work_remains());
}

TEST(PassStats, KeepsTheFirstBadSurvivorsAndCountsAll) {
    PassStats stats;
    for (std::size_t i = 0; i < bad_survivors_kept_max + 5; ++i)
        stats.bad_survivor({std::to_string(i), "/a/c/o", "bad"});
    EXPECT_EQ(stats.bad_survivors.size(), bad_survivors_kept_max);
    EXPECT_EQ(stats.bad_survivors_total, bad_survivors_kept_max + 5);
}

}  // namespace
}  // namespace fragmend::sync
