// Token buckets, courtesy and the verdict on what limits: decisions on a clock of the test's own.
#include <gtest/gtest.h>

#include <limits>

#include "scheduler/courtesy.hpp"
#include "scheduler/snapshot.hpp"
#include "scheduler/throttle.hpp"
#include "scheduler/token_bucket.hpp"

namespace fragmend::scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Moment = TokenBucket::Moment;

const Moment start{std::chrono::hours(1)};

TEST(TokenBucket, WithoutALimitEverythingMayGoNow) {
    TokenBucket bucket(0, start);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(bucket.free_at(start), start);
        bucket.take(1u << 30, start);
    }
}

TEST(TokenBucket, GivesEachPieceItsTime) {
    TokenBucket bucket(1000, start);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(bucket.free_at(start), start + milliseconds(500 * i));
        bucket.take(500, start);
    }
    EXPECT_EQ(bucket.free_at(start + seconds(1)), start + milliseconds(2500));
    EXPECT_EQ(bucket.free_at(start + seconds(3)), start + seconds(3));
}

TEST(TokenBucket, DoesNotSaveMoreThanABurst) {
    TokenBucket bucket(1000, start);
    const Moment later = start + seconds(100);
    bucket.take(100, later);
    EXPECT_EQ(bucket.free_at(later), later);
    bucket.take(1000, later);
    // 100 bytes of credit were there; of 1100 bytes before it 1000 still need their second.
    EXPECT_EQ(bucket.free_at(later), later + seconds(1));
}

TEST(TokenBucket, AppliesANewRateToThoseWhoWait) {
    TokenBucket bucket(1000, start);
    bucket.take(10'000, start);
    EXPECT_EQ(bucket.free_at(start), start + seconds(10));
    const Moment now = start + seconds(1);
    bucket.set_rate(9000, now);
    EXPECT_EQ(bucket.free_at(now), now + seconds(1));
    bucket.set_rate(0, now);
    EXPECT_EQ(bucket.free_at(now), now);
    // What went without a limit has no time to make up for.
    bucket.take(10'000, now);
    bucket.set_rate(100, now);
    EXPECT_EQ(bucket.free_at(now), now);
    bucket.take(100, now);
    EXPECT_EQ(bucket.free_at(now), now + seconds(1));
}

TEST(TokenBucket, KeepsItsRateOverALongTime) {
    TokenBucket bucket(1 << 20, start);
    Moment now = start;
    for (int i = 0; i < 1000; ++i) {
        bucket.take(104'858, now);
        now = bucket.free_at(now);
    }
    const double s = std::chrono::duration<double>(now - start).count();
    EXPECT_NEAR(1000 * 104'858 / s, 1 << 20, (1 << 20) * 0.002);
}

TEST(TokenBucket, WhatIsGivenBackIsNobodysWait) {
    TokenBucket bucket(1000, start);
    bucket.take(4000, start);
    bucket.take(1000, start);
    bucket.give_back(4000, start);
    EXPECT_EQ(bucket.free_at(start), start + seconds(1));
    // Nothing is saved up by giving back.
    const Moment now = start + seconds(10);
    bucket.take(5000, now);
    bucket.give_back(5000, now + seconds(10));
    bucket.take(1100, now + seconds(10));
    EXPECT_EQ(bucket.free_at(now + seconds(10)), now + seconds(11));
}

TEST(AheadBytes, AreASecondsWorthForAllSessions) {
    EXPECT_EQ(ahead_bytes_max({10'000'000, 0, 0}, 4, 8), 1'250'000u);
    EXPECT_EQ(ahead_bytes_max({10'000'000, 2'000'000, 500'000}, 4, 8), 250'000u);
    EXPECT_EQ(ahead_bytes_max({}, 4, 8), std::numeric_limits<std::uint64_t>::max());
}

/// Answers of `latency` every 10 ms for `length`.
void answers(Courtesy& courtesy, Moment& now, milliseconds latency, milliseconds length) {
    for (const Moment end = now + length; now < end; now += milliseconds(10))
        courtesy.answered("10.0.0.1:6200", latency, now);
}

/// Nothing is heard for `length`.
void silence(Courtesy& courtesy, Moment& now, milliseconds length) {
    for (const Moment end = now + length; now < end; now += milliseconds(100))
        courtesy.look(now);
}

TEST(Courtesy, UrgentNeverGivesWay) {
    Courtesy courtesy(Profile::urgent);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    answers(courtesy, now, milliseconds(1000), seconds(5));
    EXPECT_EQ(courtesy.pace(), 1);
    EXPECT_EQ(courtesy.rest_after(seconds(1)).count(), 0);
}

TEST(Courtesy, PoliteGivesWayWithinTwoSecondsAndComesBack) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    EXPECT_EQ(courtesy.pace(), 1);
    answers(courtesy, now, milliseconds(25), seconds(2));
    EXPECT_LT(courtesy.pace(), 0.2);
    EXPECT_GT(courtesy.rest_after(milliseconds(10)), milliseconds(40));
    answers(courtesy, now, milliseconds(10), seconds(8));
    EXPECT_EQ(courtesy.pace(), 1);
}

TEST(Courtesy, BalancedBearsMoreThanPoliteAndKeepsAQuarter) {
    Courtesy courtesy(Profile::balanced);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    answers(courtesy, now, milliseconds(25), seconds(5));
    EXPECT_EQ(courtesy.pace(), 1);
    answers(courtesy, now, milliseconds(80), seconds(5));
    EXPECT_EQ(courtesy.pace(), 0.25);
}

TEST(Courtesy, AProfileThatChangesHoldsAtOnce) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    answers(courtesy, now, milliseconds(100), seconds(5));
    EXPECT_LT(courtesy.pace(), 0.1);
    courtesy.set_profile(Profile::urgent);
    EXPECT_EQ(courtesy.pace(), 1);
}

TEST(Courtesy, ASlowPeerThatWasAlwaysSlowIsNoReason) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    for (int i = 0; i < 1000; ++i, now += milliseconds(10)) {
        courtesy.answered("fast", milliseconds(5), now);
        courtesy.answered("slow", milliseconds(200), now);
    }
    EXPECT_EQ(courtesy.pace(), 1);
}

TEST(Courtesy, ManyAnswersDoNotMakeSlownessNormal) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    for (int i = 0; i < 60'000; ++i, now += milliseconds(1))
        courtesy.answered("10.0.0.1:6200", milliseconds(25), now);
    EXPECT_EQ(courtesy.pace(), 0.05);
}

TEST(Courtesy, OneOutlierIsNoReason) {
    Courtesy courtesy(Profile::balanced);
    Moment now = start;
    for (int i = 0; i < 100; ++i) {
        answers(courtesy, now, milliseconds(10), milliseconds(240));
        answers(courtesy, now, seconds(3), milliseconds(10));
        EXPECT_EQ(courtesy.pace(), 1);
    }
}

TEST(Courtesy, ComesBackWhenNobodyIsAsked) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    answers(courtesy, now, milliseconds(100), seconds(5));
    ASSERT_EQ(courtesy.pace(), 0.05);
    silence(courtesy, now, Courtesy::silence);
    EXPECT_EQ(courtesy.pace(), 0.05);
    silence(courtesy, now, seconds(6));
    EXPECT_EQ(courtesy.pace(), 1);
}

TEST(Courtesy, AnswersThatStayAwayAreSlow) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    for (int i = 0; i < 10; ++i) {
        courtesy.asked();
        silence(courtesy, now, seconds(5));
        courtesy.no_answer("10.0.0.1:6200", seconds(5), now);
        courtesy.ended();
        courtesy.look(now);
        EXPECT_LT(courtesy.pace(), 0.75);
    }
    EXPECT_EQ(courtesy.pace(), 0.05);
}

TEST(Courtesy, SilenceIsNoSignWhileSomebodyIsAsked) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    answers(courtesy, now, milliseconds(100), seconds(5));
    courtesy.asked();
    courtesy.asked();
    courtesy.ended();
    silence(courtesy, now, seconds(60));
    EXPECT_EQ(courtesy.pace(), 0.05);
    courtesy.ended();
    silence(courtesy, now, seconds(6));
    EXPECT_EQ(courtesy.pace(), 1);
}

TEST(Courtesy, WhoWasNotWaitedForForLongSaysNothing) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(100), seconds(5));
    for (int i = 0; i < 1000; ++i, now += milliseconds(10)) {
        courtesy.no_answer("10.0.0.1:6200", milliseconds(5), now);
        courtesy.no_answer("10.0.0.1:6200", milliseconds(120), now);
        courtesy.no_answer("never heard of", seconds(10), now);
    }
    EXPECT_EQ(courtesy.pace(), 1);
    // Nor does it make what was usual slow.
    answers(courtesy, now, milliseconds(100), seconds(5));
    EXPECT_EQ(courtesy.pace(), 1);
}

/// For `length` one peer answers, and another one hangs.
void one_hangs(Courtesy& courtesy, Moment& now, seconds length) {
    for (const Moment end = now + length; now < end; now += milliseconds(10)) {
        courtesy.answered("there", milliseconds(10), now);
        courtesy.no_answer("hangs", seconds(10), now);
    }
}

TEST(Courtesy, WhoIsSilentForLongIsGoneRatherThanBusy) {
    Courtesy courtesy(Profile::polite);
    Moment now = start;
    answers(courtesy, now, milliseconds(10), seconds(5));
    courtesy.answered("hangs", milliseconds(10), now);
    one_hangs(courtesy, now, Courtesy::gone - seconds(5));
    EXPECT_EQ(courtesy.pace(), 0.05);
    one_hangs(courtesy, now, seconds(15));
    EXPECT_EQ(courtesy.pace(), 1);
    // Once it is back, it counts again.
    courtesy.answered("hangs", milliseconds(10), now);
    one_hangs(courtesy, now, seconds(10));
    EXPECT_EQ(courtesy.pace(), 0.05);
}

TEST(Courtesy, WhoWasNotAskedForLongIsNotGone) {
    for (const bool was_silent_once : {false, true}) {
        Courtesy courtesy(Profile::polite);
        Moment now = start;
        courtesy.answered("hangs", milliseconds(10), now);
        if (was_silent_once) courtesy.no_answer("hangs", seconds(10), now);
        answers(courtesy, now, milliseconds(10), Courtesy::gone * 3);
        EXPECT_EQ(courtesy.pace(), 1);
        one_hangs(courtesy, now, seconds(10));
        EXPECT_EQ(courtesy.pace(), 0.05) << was_silent_once;
    }
}

TEST(LimitedBy, NamesWhatTheWorkWaitsFor) {
    const auto verdict = [](Waits waits) { return limited_by(waits); };
    EXPECT_EQ(verdict({}), LimitedBy::nothing);
    Waits waits;
    waits.starving = seconds(10);
    waits.target = seconds(1);
    waits.source = seconds(3);
    waits.network = seconds(2);
    EXPECT_EQ(verdict(waits), LimitedBy::source);
    waits.network = seconds(4);
    EXPECT_EQ(verdict(waits), LimitedBy::network);
    waits.decode = seconds(5);
    EXPECT_EQ(verdict(waits), LimitedBy::decode);
    waits.memory = seconds(6);
    EXPECT_EQ(verdict(waits), LimitedBy::memory);
    waits.throttle = seconds(4);
    EXPECT_EQ(verdict(waits), LimitedBy::memory);
    waits.throttle = seconds(5);
    EXPECT_EQ(verdict(waits), LimitedBy::throttle);
}

TEST(LimitedBy, IsTheTargetWhenSessionsSendForLongerThanTheyStarve) {
    Waits waits;
    waits.starving = seconds(1);
    waits.target = seconds(2);
    waits.memory = seconds(100);
    EXPECT_EQ(limited_by(waits), LimitedBy::target);
}

TEST(LimitedBy, DoesNotBlameTheTargetWhenNoSessionWaits) {
    Waits waits;
    waits.decode = seconds(3);
    EXPECT_EQ(limited_by(waits), LimitedBy::decode);
}

TEST(LimitedBy, ManyStreamsThatRestForAMomentAreNoThrottle) {
    Waits waits;
    waits.target = waits.any_session = seconds(10);
    waits.throttle = seconds(8);
    waits.any_throttle = seconds(1);
    EXPECT_EQ(limited_by(waits), LimitedBy::target);
    waits.any_throttle = seconds(6);
    EXPECT_EQ(limited_by(waits), LimitedBy::throttle);
}

TEST(WaitSum, CountsWhatHasNotEnded) {
    WaitSum sum;
    EXPECT_EQ(sum.until(start + seconds(9)), seconds(0));
    sum.begin(start + seconds(10));
    EXPECT_EQ(sum.until(start + seconds(40)), seconds(30));
    sum.begin(start + seconds(40));
    EXPECT_EQ(sum.until(start + seconds(50)), seconds(50));
    EXPECT_EQ(sum.any_until(start + seconds(50)), seconds(40));
    sum.end(start + seconds(50));
    sum.end(start + seconds(60));
    EXPECT_EQ(sum.until(start + seconds(100)), seconds(60));
    EXPECT_EQ(sum.any_until(start + seconds(100)), seconds(50));
}

TEST(LimitedBy, LooksAtAnIntervalThroughADifference) {
    Waits before;
    before.starving = before.decode = seconds(100);
    Waits now = before;
    now.starving += seconds(1);
    now.source += seconds(1);
    EXPECT_EQ(limited_by(now), LimitedBy::decode);
    EXPECT_EQ(limited_by(now - before), LimitedBy::source);
}

}  // namespace
}  // namespace fragmend::scheduler
