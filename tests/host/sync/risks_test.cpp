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

}  // namespace
}  // namespace fragmend::sync
