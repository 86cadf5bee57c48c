// MD5's compression of one block.
#include "kernels/gf/md5_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace fragmend::gf {
namespace {

TEST(Md5Step, ConstantsAreTheSines) {
    for (unsigned step = 0; step < 64; ++step) {
        const double sine = std::abs(std::sin(static_cast<double>(step + 1)));
        EXPECT_EQ(md5_constant(step), static_cast<std::uint32_t>(std::floor(sine * 4294967296.0)));
    }
}

TEST(Md5Step, EmptyMessage) {
    std::uint32_t state[4];
    std::memcpy(state, md5_initial, sizeof state);
    const std::uint32_t words[16] = {0x80};
    md5_compress(state, words);
    EXPECT_THAT(state, testing::ElementsAre(0xd98c1dd4, 0x04b2008f, 0x980980e9, 0x7e42f8ec));
}

}  // namespace
}  // namespace fragmend::gf
