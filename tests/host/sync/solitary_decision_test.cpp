// Swift's strict conditions for giving an object up, one by one.
#include "host/sync/solitary_decision.hpp"

#include <gtest/gtest.h>

namespace fragmend::sync {
namespace {

constexpr std::int64_t unit = 100000;
const Timestamp data_time{1000 * unit, 0};
const SolitaryAnswer not_found{404, {}};
const SolitaryAnswer fragment{200, data_time};

SolitaryQuestion question() {
    return {data_time, 2, 5, 4, Timestamp{1601 * unit, 0}, 600, 1};
}

bool decide(const SolitaryQuestion& what, std::initializer_list<SolitaryAnswer> answers) {
    SolitaryDecision decision(what);
    for (const auto& answer : answers)
        decision.add(answer);
    return decision.is_candidate();
}

TEST(SolitaryDecision, NothingButNotFoundGivesTheObjectUp) {
    EXPECT_TRUE(decide(question(), {not_found, not_found}));
    EXPECT_FALSE(decide(question(), {}));
}

TEST(SolitaryDecision, AnyErrorTimeoutOrOtherStatusForbidsIt) {
    for (const int status : {0, 200, 401, 409, 412, 416, 500, 503, 507}) {
        EXPECT_FALSE(decide(question(), {not_found, {status, {}}})) << status;
        EXPECT_FALSE(decide(question(), {{status, {}}, not_found, not_found})) << status;
    }
}

TEST(SolitaryDecision, AnotherVersionForbidsIt) {
    EXPECT_FALSE(decide(question(), {not_found, {200, Timestamp{999 * unit, 0}}}));
    EXPECT_FALSE(decide(question(), {not_found, {200, Timestamp{1000 * unit, 1}}}));
}

TEST(SolitaryDecision, TheThresholdCountsTheLocalFragment) {
    auto what = question();
    EXPECT_FALSE(decide(what, {not_found, fragment}));
    what.quarantine_threshold = 2;
    EXPECT_TRUE(decide(what, {not_found, fragment}));
    EXPECT_FALSE(decide(what, {not_found, fragment, fragment}));
}

TEST(SolitaryDecision, EnoughToRebuildIsNeverGivenUp) {
    auto what = question();
    what.quarantine_threshold = 10;
    EXPECT_TRUE(decide(what, {not_found, fragment, fragment}));
    EXPECT_FALSE(decide(what, {not_found, fragment, fragment, fragment}));
}

TEST(SolitaryDecision, ThresholdZeroMeansNever) {
    auto what = question();
    what.quarantine_threshold = 0;
    EXPECT_FALSE(SolitaryDecision(what).is_possible());
    EXPECT_FALSE(decide(what, {not_found}));
}

TEST(SolitaryDecision, AgeHasToBePassed) {
    auto what = question();
    what.now = Timestamp{1600 * unit, 0};
    EXPECT_FALSE(SolitaryDecision(what).is_possible());
    what.now.raw += 1;
    EXPECT_TRUE(decide(what, {not_found}));
}

TEST(SolitaryDecision, TheDuplicateOfTheWantedFragmentProvesNothing) {
    auto what = question();
    what.wanted_index = what.fragment_index;
    EXPECT_FALSE(SolitaryDecision(what).is_possible());
}

}  // namespace
}  // namespace fragmend::sync
