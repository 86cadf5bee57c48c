// Only a partition that holds nothing goes, and never from under somebody's feet.
#include "host/swift/partition_removal.hpp"

#include "host/swift/locks.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

struct PartitionRemoval : testing::DiskFixture {
    Result<bool> remove() { return remove_empty_partition(context, "d1", "7"); }
    bool exists() const { return testing::fs::exists(partition_path()); }
    PartitionPath place() const { return {context, "d1", "7"}; }
};

TEST_F(PartitionRemoval, TakesHashFilesAndLocksAlong) {
    for (const char* name : {"hashes.pkl", "hashes.invalid", "tmpabcdef.tmp", ".lock"})
        testing::write_file(partition_path() + "/" + name, "x");
    EXPECT_TRUE(remove().value());
    EXPECT_FALSE(exists());
    EXPECT_TRUE(lines.contains("INFO Removing partition: " + partition_path()));
}

TEST_F(PartitionRemoval, WhatIsGoneIsGone) {
    testing::fs::remove_all(partition_path());
    EXPECT_TRUE(remove().value());
    EXPECT_FALSE(exists());
}

TEST_F(PartitionRemoval, AnythingElseKeepsItAndAllThatIsInIt) {
    for (const char* name : {"abc", "notes.txt"}) {
        testing::fs::create_directories(partition_path());
        testing::write_file(partition_path() + "/hashes.pkl", "x");
        testing::fs::create_directories(partition_path() + "/" + name);
        const auto removed = remove();
        // A suffix is somebody's work, the other thing nobody's.
        if (name == std::string("abc"))
            EXPECT_EQ(removed.error().code, errc::lock_timeout);
        else
            EXPECT_FALSE(removed.value());
        EXPECT_TRUE(testing::fs::exists(partition_path() + "/hashes.pkl"));
        EXPECT_TRUE(testing::fs::exists(partition_path() + "/" + name));
        testing::fs::remove_all(partition_path());
    }
}

TEST_F(PartitionRemoval, WaitsForNobodyLong) {
    {
        const auto held = lock_partition_replication(place(), 1).value();
        EXPECT_EQ(remove().error().code, errc::lock_timeout);
    }
    {
        const auto held = lock_hashes(partition_path(), false).value();
        EXPECT_EQ(remove().error().code, errc::lock_timeout);
    }
    EXPECT_TRUE(exists());
    EXPECT_TRUE(remove().value());
}

TEST_F(PartitionRemoval, TouchesNothingOnADeviceThatIsNotThere) {
    EXPECT_EQ(remove_empty_partition(context, "d2", "7").error().code, errc::not_mounted);
    EXPECT_FALSE(testing::fs::exists(scratch / "d2"));
}

}  // namespace
}  // namespace fragmend::swift
