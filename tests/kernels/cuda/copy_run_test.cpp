// Which copies become one.
#include "kernels/cuda/copy_run.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fragmend::cuda {
namespace {

TEST(CopyRun, TakesEqualCopiesAtEqualDistances) {
    std::vector<std::uint8_t> to(100);
    std::vector<std::uint8_t> from(100);
    CopyRun run;
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_TRUE(run.extend(&to[i * 16], &from[i * 12], 10));
    }
    EXPECT_EQ(run.count(), 5u);
    EXPECT_EQ(run.to_pitch(), 16u);
    EXPECT_EQ(run.from_pitch(), 12u);
    EXPECT_EQ(run.from(4), &from[48]);
    EXPECT_EQ(run.to(4), &to[64]);
}

TEST(CopyRun, EndsWhereTheStepsChange) {
    std::vector<std::uint8_t> to(100);
    std::vector<std::uint8_t> from(100);
    CopyRun run;
    ASSERT_TRUE(run.extend(&to[0], &from[40], 10));
    EXPECT_FALSE(run.extend(&to[10], &from[10], 10)) << "backwards";
    EXPECT_FALSE(run.extend(&to[10], &from[45], 10)) << "overlapping";
    EXPECT_FALSE(run.extend(&to[10], &from[50], 9)) << "shorter";
    ASSERT_TRUE(run.extend(&to[10], &from[50], 10));
    EXPECT_FALSE(run.extend(&to[20], &from[61], 10)) << "a larger step";
    EXPECT_FALSE(run.extend(&to[21], &from[60], 10)) << "a larger step of the target";
    EXPECT_EQ(run.count(), 2u);
}

}  // namespace
}  // namespace fragmend::cuda
