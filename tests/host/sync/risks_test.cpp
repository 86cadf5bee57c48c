// What is known of missing fragments.
#include "host/sync/risks.hpp"

#include <gtest/gtest.h>

namespace fragmend::sync {
namespace {

TEST(Risks, OnlyAnAnswerChangesThem) {
    Risks risks;
    risks.lacks("object", 1);
    risks.lacks("object", 1);
    risks.lacks("object", 2);
    EXPECT_EQ(risks.missing("object"), 2u);
    risks.holds("object", 3);
    risks.holds("another", 1);
    EXPECT_EQ(risks.missing("object"), 2u);
    risks.holds("object", 1);
    EXPECT_FALSE(risks.is_missing("object", 1));
    EXPECT_TRUE(risks.is_missing("object", 2));
    EXPECT_EQ(risks.missing("object"), 1u);
}

TEST(Risks, ADeviceIsLostUntilEnoughOfItIsWhole) {
    Risks risks;
    risks.compared(0, 1, false);
    EXPECT_TRUE(risks.losses().empty());
    EXPECT_EQ(risks.losses_changed(), 0u);
    risks.compared(0, 1, true);
    risks.compared(0, 1, true);
    EXPECT_TRUE(risks.losses().contains({0, 1}));
    EXPECT_EQ(risks.losses().size(), 1u);
    EXPECT_EQ(risks.losses_changed(), 1u);
    for (int i = 1; i < Risks::whole_answers; ++i)
        risks.compared(0, 1, false);
    // Ids are a ring's: this is another device.
    risks.compared(1, 1, false);
    risks.compared(0, 1, true);
    for (int i = 1; i < Risks::whole_answers; ++i)
        risks.compared(0, 1, false);
    EXPECT_TRUE(risks.losses().contains({0, 1}));
    risks.compared(0, 1, false);
    EXPECT_TRUE(risks.losses().empty());
    EXPECT_EQ(risks.losses_changed(), 2u);
}

}  // namespace
}  // namespace fragmend::sync
