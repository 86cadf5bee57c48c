// Common work of many threads: everybody's is done, once for several, and fails for all of them.
#include "host/swift/disk_groups.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "host/base/unique_fd.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

constexpr int writers = 16;

std::string suffix_of(int number) {
    char text[4];
    std::snprintf(text, sizeof text, "%03x", number);
    return text;
}

/// Runs `work(number)` on as many threads as there are writers.
template <typename Work>
void side_by_side(const Work& work) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < writers; ++i)
        threads.emplace_back([&work, i] { work(i); });
}

TEST(DiskGroups, WhoeverReturnsFindsHisNoteInTheFile) {
    const testing::ScratchFolder place;
    DiskGroups groups;
    std::atomic<int> missing = 0;
    side_by_side([&](int number) {
        for (int turn = 0; turn < 20; ++turn) {
            const std::string suffix = suffix_of(number * 20 + turn);
            if (!groups.note(place.path(), suffix) ||
                testing::read_file(place / "hashes.invalid").find(suffix + "\n") ==
                    std::string::npos) {
                ++missing;
            }
        }
    });
    EXPECT_EQ(missing, 0);
}

TEST(DiskGroups, ThoseWhoWaitForTheLockShareOneVisit) {
    const testing::ScratchFolder place;
    DiskGroups groups;
    UniqueFd held(::open((place / ".lock").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    std::atomic<int> asking = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < writers; ++i) {
        threads.emplace_back([&] {
            ++asking;
            EXPECT_TRUE(groups.note(place.path(), "abc"));
        });
    }
    while (asking < writers)
        std::this_thread::yield();
    held.reset();
    threads.clear();
    // The same suffix, asked for by all: the first visit may be of one alone, a thread that had not
    // yet come to the group may need another one; sixteen are what no group would take.
    EXPECT_LT(testing::read_file(place / "hashes.invalid").size(),
              writers * std::string("abc\n").size());
}

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// What a writer of hashes.invalid was told, and after how long.
struct Told {
    Result<void> done;
    double waited_s = 0;
};

Told note(DiskGroups& groups, const testing::ScratchFolder& place, const std::string& suffix) {
    const auto started = steady_clock::now();
    auto done = groups.note(place.path(), suffix);
    return {std::move(done), Seconds(steady_clock::now() - started).count()};
}

/// A lock of the place that somebody else holds, and a thread that has waited `head_start_s` for
/// it.
struct HeldUp {
    static constexpr double lock_time_s = 2;
    testing::ScratchFolder place;
    DiskGroups groups{lock_time_s};
    UniqueFd held;
    Told first{.done = {}};
    std::jthread waiting;

    explicit HeldUp(double head_start_s)
        : held(::open((place / ".lock").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) {
        EXPECT_EQ(::flock(held.get(), LOCK_EX), 0);
        const auto started = steady_clock::now();
        waiting = std::jthread([this] { first = note(groups, place, "abc"); });
        while (Seconds(steady_clock::now() - started).count() < head_start_s)
            std::this_thread::yield();
    }
};

TEST(DiskGroups, WhoeverComesWhileALockIsWaitedForDoesNotWaitForTwo) {
    HeldUp peers(0.1);
    const Told second = note(peers.groups, peers.place, "def");
    peers.waiting.join();
    for (const Told* told : {&std::as_const(peers.first), &second}) {
        ASSERT_TRUE(told->done.has_error());
        EXPECT_EQ(told->done.error(), errc::lock_timeout);
        EXPECT_EQ(told->done.error().detail, "2 seconds: " + (peers.place / ".lock"));
        EXPECT_LT(told->waited_s, HeldUp::lock_time_s * 1.5);
    }
}

TEST(DiskGroups, WhoeverComesLaterStillWaitsWhenTheFirstHasGivenUp) {
    HeldUp peers(HeldUp::lock_time_s / 2);
    Told second{.done = {}};
    std::jthread other([&] { second = note(peers.groups, peers.place, "def"); });
    peers.waiting.join();
    EXPECT_TRUE(peers.first.done.has_error());
    peers.held.reset();
    other.join();
    EXPECT_TRUE(second.done.has_value());
    EXPECT_EQ(testing::read_file(peers.place / "hashes.invalid"), "def\n");
}

TEST(DiskGroups, ADirectoryThatIsNotThereFailsForEverybody) {
    const testing::ScratchFolder place;
    DiskGroups groups;
    std::atomic<int> failed = 0;
    side_by_side([&](int) {
        const auto done = groups.sync(place / "gone");
        if (done.has_error() && done.error() == errc::not_found) ++failed;
    });
    EXPECT_EQ(failed, writers);
    EXPECT_TRUE(groups.sync(place.path()));
}

TEST(DiskGroups, APlaceThatFailedIsTriedAnewByWhoeverComesNext) {
    const testing::ScratchFolder place;
    DiskGroups groups;
    EXPECT_FALSE(groups.sync(place / "later"));
    ASSERT_EQ(::mkdir((place / "later").c_str(), 0777), 0);
    EXPECT_TRUE(groups.sync(place / "later"));
}

}  // namespace
}  // namespace fragmend::swift
