// settled_hashes: what it returns, that it touches nothing, and everything that makes it say no.
#include "host/swift/settled_hashes.hpp"

#include <gtest/gtest.h>

#include "host/swift/hashes_file.hpp"
#include "host/swift/locks.hpp"
#include "host/swift/partition_hashes.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

struct SettledHashes : testing::DiskFixture {
    void put(const std::string& file, const std::string& suffix = "def") {
        testing::write_file(partition_path() + "/" + suffix + "/0123456789abcdef0123456789abc" +
                            suffix + "/" + file);
    }
    PartitionHashes settle() {
        const auto hashed =
            get_hashes(context, "d1", "7", {.recalculate = {}, .list_directory = true});
        EXPECT_TRUE(hashed);
        return hashed->hashes;
    }
    std::optional<PartitionHashes> look(bool list_directory = true) const {
        return settled_hashes(context, "d1", "7", list_directory);
    }
    std::string invalid_path() const { return partition_path() + "/hashes.invalid"; }
};

TEST_F(SettledHashes, AreThoseOfGetHashes) {
    put("1795333043.19771#0#d.data");
    put("1795332145.61494#1#d.data", "abc");
    EXPECT_FALSE(look()) << "nothing was hashed yet";
    const auto hashes = settle();
    EXPECT_EQ(hashes.size(), 2u);
    EXPECT_EQ(look(), hashes);
    EXPECT_EQ(look(false), hashes);
}

TEST_F(SettledHashes, OfFragmentsAreNotThoseOfWholeObjects) {
    put("1795333043.19771#0#d.data");
    settle();
    context.fragment_count = no_fragments;
    EXPECT_FALSE(look());
    const auto whole = settle();
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_TRUE(whole.begin()->second.contains(std::nullopt)) << "hashed anew, one for all";
}

TEST_F(SettledHashes, NeedNoLockAndLeaveNone) {
    put("1795333043.19771#0#d.data");
    const auto hashes = settle();
    {
        const auto held = lock_hashes(partition_path(), false);
        ASSERT_TRUE(held);
        EXPECT_EQ(look(), hashes);
    }
    testing::fs::remove(partition_path() + "/.lock");
    EXPECT_EQ(look(), hashes);
    EXPECT_FALSE(testing::fs::exists(partition_path() + "/.lock"));
}

TEST_F(SettledHashes, AnInvalidationUnsettles) {
    put("1795333043.19771#0#d.data");
    settle();
    ASSERT_TRUE(invalidate_suffix(partition_path(), "def"));
    EXPECT_FALSE(look());
    EXPECT_EQ(testing::read_file(invalid_path()), "def\n") << "it is for whoever has the lock";
    settle();
    EXPECT_EQ(testing::read_file(invalid_path()), "");
    EXPECT_TRUE(look());
    testing::write_file(invalid_path(), "no suffix");
    EXPECT_FALSE(look());
}

TEST_F(SettledHashes, ANewSuffixUnsettlesWhereItIsLookedFor) {
    put("1795333043.19771#0#d.data");
    const auto hashes = settle();
    put("1795332145.61494#1#d.data", "abc");
    EXPECT_FALSE(look());
    EXPECT_EQ(look(false), hashes);
    EXPECT_EQ(settle().size(), 2u);
    EXPECT_TRUE(look());
}

TEST_F(SettledHashes, ASuffixWithoutHashesUnsettles) {
    put("1795333043.19771#0#d.data");
    settle();
    StoredHashes stored = parse_stored_hashes(*read_hashes_file(partition_path()));
    stored.suffixes["def"] = SuffixHash{};
    ASSERT_TRUE(write_hashes_file(partition_path(), stored, testing::test_now()));
    EXPECT_FALSE(look());
    stored.suffixes["def"] = std::nullopt;
    ASSERT_TRUE(write_hashes_file(partition_path(), stored, testing::test_now()));
    EXPECT_FALSE(look());
    stored.suffixes.clear();
    stored.valid = false;
    ASSERT_TRUE(write_hashes_file(partition_path(), stored, testing::test_now()));
    EXPECT_FALSE(look());
    testing::write_file(partition_path() + "/hashes.pkl", "no pickle");
    EXPECT_FALSE(look());
}

TEST_F(SettledHashes, AnUnfinishedFileIsForWhoeverRemovesIt) {
    put("1795333043.19771#0#d.data");
    settle();
    testing::write_file(partition_path() + "/tmpabcdef.tmp");
    EXPECT_FALSE(look());
    testing::fs::remove(partition_path() + "/tmpabcdef.tmp");
    testing::write_file(partition_path() + "/foreign");
    EXPECT_TRUE(look());
}

TEST_F(SettledHashes, WhatIsNotThereIsNotSettled) {
    EXPECT_FALSE(settled_hashes(context, "d1", "8", true));
    EXPECT_FALSE(testing::fs::exists(scratch / "d1/objects-1/8"));
    EXPECT_FALSE(settled_hashes(context, "d2", "7", true));
    EXPECT_FALSE(settled_hashes(context, "..", "7", true));
    put("1795333043.19771#0#d.data");
    settle();
    ASSERT_TRUE(look());
    context.mount_check = true;
    EXPECT_FALSE(look()) << "a folder is no mounted device";
}

}  // namespace
}  // namespace fragmend::swift
