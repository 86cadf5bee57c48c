// Order, hold-back and replay, without any I/O.
#include "scheduler/output_window.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fragmend::scheduler {
namespace {

class OutputWindowTest : public ::testing::Test {
  protected:
    void lay_out(std::uint64_t archive_bytes, std::size_t hold_back, std::size_t slots) {
        RebuildLimits limits;
        limits.hold_back_bytes_max = hold_back;
        limits.output_slots = slots;
        const auto shape = fit_shape({"x", 2, 1}, archive_bytes, 100, limits, 1 << 20).value();
        window_.lay_out(shape, pool_.lease(shape.output_bytes()));
        window_.begin_attempt();
    }
    /// Feeds one round whose bytes all are `value`; false when the window is full.
    bool feed(std::uint64_t round, int value, int chain) {
        const auto slot = window_.take_slot();
        if (!slot) return false;
        std::ranges::fill(slot->bytes, static_cast<std::byte>(value));
        Md5Digest digest{};
        digest[0] = static_cast<std::byte>(chain);
        const Result<void> accepted = window_.accept(*slot, round, digest);
        wrong_ = accepted.has_error() && accepted.error() == errc::wrong_bytes;
        return true;
    }
    /// The value of the next piece, or -1.
    int take() {
        window_.return_released();
        if (!window_.can_release()) return -1;
        return std::to_integer<int>(window_.release().front());
    }

    HeapSlabs slabs_;
    BufferPool pool_{slabs_, 0};
    OutputWindow window_;
    bool wrong_ = false;
};

TEST_F(OutputWindowTest, ReleasesInOrderAndHoldsTheLastPieceBack) {
    lay_out(400, 0, 2);
    EXPECT_EQ(take(), -1);
    EXPECT_TRUE(feed(0, 10, 0));
    EXPECT_TRUE(feed(1, 11, 1));
    EXPECT_FALSE(feed(2, 12, 2));
    EXPECT_EQ(take(), 10);
    EXPECT_FALSE(feed(2, 12, 2)) << "the piece is still read";
    EXPECT_EQ(take(), 11);
    EXPECT_TRUE(feed(2, 12, 2));
    EXPECT_EQ(take(), 12);
    EXPECT_TRUE(feed(3, 13, 3));
    EXPECT_EQ(take(), -1);
    window_.set_verified();
    EXPECT_FALSE(window_.drained());
    EXPECT_EQ(take(), 13);
    EXPECT_FALSE(window_.drained());
    EXPECT_EQ(take(), -1);
    EXPECT_TRUE(window_.drained());
    EXPECT_EQ(window_.bytes_released(), 400u);
}

TEST_F(OutputWindowTest, HoldsASmallArchiveBackAsAWhole) {
    lay_out(250, 250, 1);
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(feed(static_cast<std::uint64_t>(round), round, round));
        EXPECT_EQ(take(), -1);
    }
    window_.set_verified();
    for (int round = 0; round < 3; ++round)
        EXPECT_EQ(take(), round);
    EXPECT_EQ(window_.bytes_released(), 250u);
}

TEST_F(OutputWindowTest, DropsWhatWasNotReleasedAndComparesTheRest) {
    for (bool equal : {true, false}) {
        window_ = OutputWindow();
        lay_out(500, 0, 2);
        EXPECT_TRUE(feed(0, 10, 1));
        EXPECT_TRUE(feed(1, 11, 2));
        EXPECT_EQ(take(), 10);
        EXPECT_EQ(take(), 11);
        EXPECT_TRUE(feed(2, 99, 3));  // Made of bad survivors, never sent.
        window_.begin_attempt();
        EXPECT_TRUE(feed(0, 10, equal ? 1 : 7));
        EXPECT_FALSE(wrong_) << "only the chain at the end of the prefix counts";
        EXPECT_TRUE(feed(1, 11, equal ? 2 : 8));
        EXPECT_EQ(wrong_, !equal);
        if (!equal) continue;
        EXPECT_EQ(take(), -1);
        EXPECT_TRUE(feed(2, 12, 3));
        EXPECT_EQ(take(), 12);
        EXPECT_TRUE(feed(3, 13, 4));
        EXPECT_EQ(take(), 13);
        EXPECT_TRUE(feed(4, 14, 5));
        EXPECT_EQ(take(), -1);
        window_.set_verified();
        EXPECT_EQ(take(), 14);
        EXPECT_EQ(take(), -1);
        EXPECT_TRUE(window_.drained());
    }
}

TEST_F(OutputWindowTest, IsDrainedAtOnceWithoutRounds) {
    EXPECT_FALSE(window_.drained());
    window_.set_verified();
    EXPECT_TRUE(window_.drained());
}

using OutputWindowDeathTest = OutputWindowTest;

TEST_F(OutputWindowDeathTest, DiesRatherThanVerifyWithARoundMissing) {
    lay_out(300, 0, 3);
    EXPECT_TRUE(feed(0, 1, 0));
    EXPECT_DEATH(window_.set_verified(), "assertion failed");
    EXPECT_DEATH(feed(2, 1, 0), "assertion failed");
}

}  // namespace
}  // namespace fragmend::scheduler
