// Who is stuck, and who only waits for others.
#include "host/sync/activity.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace fragmend::sync {
namespace {

using namespace std::chrono_literals;

class ManualClock final : public Clock {
  public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override { return time; }
    std::chrono::steady_clock::time_point time{};
};

class ActivityBoardTest : public ::testing::Test {
  protected:
    std::unique_ptr<Activity> job(const std::string& name) {
        return std::make_unique<Activity>(board_, name, [this, name] { ended_.push_back(name); });
    }
    ManualClock clock_;
    ActivityBoard board_{clock_};
    std::vector<std::string> ended_;
};

TEST_F(ActivityBoardTest, EndsTheSilentAndSaysWhatTheyDid) {
    auto silent = job("one");
    silent->doing("asks d3 for suffix hashes");
    auto busy = job("two");
    busy->doing("in a session");
    clock_.time += 30s;
    EXPECT_TRUE(board_.end_stuck(60s).empty());
    busy->moved();
    clock_.time += 30s;
    const auto ended = board_.end_stuck(60s);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].job, "one");
    EXPECT_EQ(ended[0].doing, "asks d3 for suffix hashes");
    EXPECT_EQ(ended[0].unchanged_for, 60s);
    EXPECT_EQ(ended_, (std::vector<std::string>{"one"}));
    // It stays, and is named again after as long a silence.
    clock_.time += 30s;
    busy->moved();
    EXPECT_TRUE(board_.end_stuck(60s).empty());
}

TEST_F(ActivityBoardTest, WhoWaitsForOthersIsStuckOnlyWithThem) {
    auto waiting = job("waiting");
    waiting->queued("waits for a session with d1");
    auto busy = job("busy");
    busy->doing("in a session with d1");
    clock_.time += 3600s;
    busy->moved();
    EXPECT_TRUE(board_.end_stuck(60s).empty());
    clock_.time += 60s;
    EXPECT_EQ(board_.end_stuck(60s).size(), 2u);
    EXPECT_EQ(ended_.size(), 2u);
}

TEST_F(ActivityBoardTest, EndingOneMayTakeOthersAlong) {
    auto other = job("other");
    Activity first(board_, "first", [&other] { other.reset(); });
    clock_.time += 60s;
    EXPECT_LE(board_.end_stuck(60s).size(), 2u);
    EXPECT_EQ(board_.size(), 1u);
}

TEST_F(ActivityBoardTest, SnapshotIsSortedBySilence) {
    auto one = job("one");
    clock_.time += 5s;
    auto two = job("two");
    clock_.time += 1s;
    const auto views = board_.snapshot();
    ASSERT_EQ(views.size(), 2u);
    EXPECT_EQ(views[0].job, "one");
    EXPECT_EQ(views[0].running_for, 6s);
    one.reset();
    EXPECT_EQ(board_.snapshot().size(), 1u);
}

}  // namespace
}  // namespace fragmend::sync
