// Locks: exclusion between threads, limits, Swift's message.
#include "host/swift/locks.hpp"

#include <sys/file.h>

#include <thread>

#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

using testing::DiskFixture;
using testing::ScratchFolder;

TEST(PathLock, ExcludesASecondHolderUntilReleased) {
    const ScratchFolder scratch;
    const LockRequest request{.directory = scratch / "a/b", .name = "x", .timeout_s = 0.05};
    auto first = PathLock::acquire(request);
    ASSERT_TRUE(first);
    const auto second = PathLock::acquire(request);
    ASSERT_TRUE(second.has_error());
    EXPECT_EQ(second.error().code, errc::lock_timeout);
    EXPECT_EQ(second.error().detail, "0.05 seconds: " + (scratch / "a/b/.lock-x"));
    first->release();
    EXPECT_TRUE(PathLock::acquire(request));
    EXPECT_TRUE(std::filesystem::exists(scratch / "a/b/.lock-x"));
}

TEST(PathLock, AdmitsAsManyAsTheLimitSays) {
    const ScratchFolder scratch;
    const LockRequest request{
        .directory = scratch.path(), .name = {}, .timeout_s = 0.02, .holders_max = 2};
    auto first = PathLock::acquire(request);
    auto second = PathLock::acquire(request);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(PathLock::acquire(request).error().detail, "0.02 seconds: " + (scratch / ".lock"));
    first->release();
    EXPECT_TRUE(PathLock::acquire(request));
    EXPECT_TRUE(std::filesystem::exists(scratch / ".lock-1"));
}

TEST(PathLock, NeverMakesADirectoryThatItMustNot) {
    const ScratchFolder scratch;
    const LockRequest request{.directory = scratch / "gone", .name = {}, .make_directory = false};
    EXPECT_EQ(PathLock::acquire(request).error().code, errc::not_found);
    EXPECT_FALSE(std::filesystem::exists(scratch / "gone"));
}

TEST(PathLock, OnlyOneThreadIsInsideAtATime) {
    const ScratchFolder scratch;
    int inside = 0;
    int rounds = 0;
    std::atomic<int> overlaps{0};
    const auto work = [&] {
        for (int i = 0; i < 25; ++i) {
            const auto lock = lock_hashes(scratch.path(), false);
            if (!lock || ++inside != 1) ++overlaps;
            std::this_thread::yield();
            ++rounds;
            --inside;
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(work);
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(rounds, 100);
}

TEST(PathLock, PrintsSecondsAsPythonDoes) {
    EXPECT_EQ(python_seconds(15), "15 seconds");
    EXPECT_EQ(python_seconds(1), "1 second");
    EXPECT_EQ(python_seconds(0.2), "0.2 seconds");
    EXPECT_EQ(python_seconds(14.998765), "14.998765 seconds");
}

using ReplicationLocks = DiskFixture;

TEST_F(ReplicationLocks, TakesThePartitionAndThenTheDevice) {
    const PartitionPath seven(context, "d1", "7");
    const PartitionPath eight(context, "d1", "8");
    {
        const auto held = lock_replication(context, seven, 0.05, 1);
        ASSERT_TRUE(held);
        EXPECT_EQ(lock_replication(context, seven, 0.02, 1).error().detail,
                  "0.02 seconds: " + partition_path() + "/.lock-replication");
        const auto other = lock_replication(context, eight, 0.02, 1);
        ASSERT_TRUE(other.has_error());
        EXPECT_TRUE(other.error().detail.ends_with("seconds: " + scratch.path() + "/d1/.lock"));
        EXPECT_TRUE(lock_replication(context, eight, 0.02, 0));
        EXPECT_TRUE(lock_replication(context, eight, 0.02, 2));
    }
    EXPECT_TRUE(lock_replication(context, seven, 0.02, 1));
    EXPECT_TRUE(std::filesystem::exists(partition_path() + "/.lock-replication"));
}

}  // namespace
}  // namespace fragmend::swift
