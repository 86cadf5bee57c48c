// Slow peers are let work, quick ones are not waited for.
#include "host/app/answer_gathering.hpp"

#include <gtest/gtest.h>

namespace fragmend::app {
namespace {

using Length = AnswerGathering::Length;
constexpr std::size_t under_way = 16;

/// Peers that together give an answer every `each`, until the length has settled.
Length settled(AnswerGathering& gathering, Length each, std::uint64_t& answers) {
    Length length = gathering.next(under_way, answers);
    for (int i = 0; i < 100; ++i) {
        answers += std::min<std::uint64_t>(under_way, static_cast<std::uint64_t>(length / each));
        length = gathering.next(under_way, answers);
    }
    return length;
}

TEST(AnswerGathering, MostAnswersComeTogetherButNotAll) {
    AnswerGathering gathering;
    std::uint64_t answers = 0;
    for (const Length each : {Length(1000), Length(100), Length(700)}) {
        const Length length = settled(gathering, each, answers);
        EXPECT_GE(length, each * 12);
        EXPECT_LT(length, each * 16);
    }
}

TEST(AnswerGathering, StaysWithinItsBounds) {
    AnswerGathering gathering;
    std::uint64_t answers = 0;
    EXPECT_EQ(settled(gathering, Length(50'000), answers), AnswerGathering::longest);
    EXPECT_EQ(settled(gathering, Length(1), answers), AnswerGathering::shortest);
}

TEST(AnswerGathering, FewUnderWayAreNoReasonToWaitLonger) {
    AnswerGathering gathering;
    std::uint64_t answers = 0;
    const Length before = gathering.next(3, answers);
    for (int i = 0; i < 10; ++i)
        EXPECT_LE(gathering.next(3, answers += 3), before);
}

TEST(AnswerGathering, AnotherPassBeginsWithTheLengthOfTheOneBefore) {
    AnswerGathering gathering;
    std::uint64_t answers = 0;
    const Length before = settled(gathering, Length(1000), answers);
    EXPECT_EQ(gathering.next(under_way, 1), before);
    EXPECT_GT(gathering.next(under_way, 2), before);
}

}  // namespace
}  // namespace fragmend::app
