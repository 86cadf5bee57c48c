// Cleanup of one hash directory: boundaries of time, and what is never touched.
#include "host/swift/hash_dir.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct HashDirTest : testing::DiskFixture {
    const std::string name = "0123456789abcdef0123456789abcdef";
    std::string parent = partition_path() + "/def";

    void SetUp() override {
        DiskFixture::SetUp();
        testing::fs::create_directories(parent + "/" + name);
    }
    void put(const std::string& file, double age_s = 0) {
        const std::string path = parent + "/" + name + "/" + file;
        testing::write_file(path);
        set_modified(path, age_s);
    }
    HashDir clean(SelectionOptions options = {}) {
        auto dir = cleanup_hash_dir(context, {AT_FDCWD, parent, name}, options);
        EXPECT_TRUE(dir.has_value());
        return std::move(*dir);
    }
    bool exists() const { return testing::fs::exists(parent + "/" + name); }
};

constexpr std::int64_t week = 604800;

TEST_F(HashDirTest, TombstonesGoStrictlyAfterReclaimAge) {
    put(tombstone_file_name(ago(week)));
    EXPECT_TRUE(clean().files.tombstone);
    put(tombstone_file_name({ago(week).raw - 1, 0}));
    testing::fs::remove(parent + "/" + name + "/" + tombstone_file_name(ago(week)));
    EXPECT_FALSE(clean().files.tombstone);
    EXPECT_FALSE(exists());
}

TEST_F(HashDirTest, NonDurableDataWaitsForTheCommitWindow) {
    const auto file = data_file_name(ago(week + 1), 2, false);
    put(file, 60);
    EXPECT_THAT(clean().names, ElementsAre(file));
    put(file, 60.001);
    EXPECT_THAT(clean().names, IsEmpty());
    EXPECT_FALSE(exists());
    testing::fs::create_directories(parent + "/" + name);
    context.commit_window_s = 0;
    put(file, 0);
    EXPECT_THAT(clean().names, IsEmpty());
}

TEST_F(HashDirTest, StrayMetaNeedsNoCommitWindow) {
    put(meta_file_name(ago(week + 1), {}), 0);
    EXPECT_THAT(clean().names, IsEmpty());
}

TEST_F(HashDirTest, DurableDataOfAnyAgeStays) {
    const auto file = data_file_name(ago(100 * week), 2, true);
    put(file, 1000);
    put(data_file_name(ago(101 * week), 2, true));
    EXPECT_THAT(clean().names, ElementsAre(file));
}

TEST_F(HashDirTest, TheChosenNonDurableStaysHoweverOld) {
    const auto file = data_file_name(ago(week + 1), 2, false);
    put(file, 1000);
    SelectionOptions any;
    any.frag_prefs.emplace();
    EXPECT_EQ(clean(any).files.data->name, file);
}

TEST_F(HashDirTest, UnknownFilesStayAndKeepTheDirectory) {
    put("junk");
    put(".x.ts.abc123");
    put(tombstone_file_name(ago(week + 5)));
    EXPECT_THAT(clean().names, ElementsAre("junk", ".x.ts.abc123"));
    EXPECT_TRUE(exists());
    EXPECT_TRUE(lines.contains("WARNING Unexpected file " + parent + "/" + name + "/junk"));
    EXPECT_TRUE(lines.contains("DEBUG Rsync tempfile: "));
}

TEST_F(HashDirTest, AFileRemovedTwiceIsRemovedOnce) {
    // An isolated marker makes old data obsolete and reclaimable at once: Swift stumbles here.
    put(data_file_name(ago(week + 9), 1, false), 1000);
    put(ago(week + 5).internal() + ".durable");
    EXPECT_THAT(clean().names, IsEmpty());
    EXPECT_FALSE(exists());
}

TEST_F(HashDirTest, AnUnusedDirectoryStaysUntilItsWriterHadTime) {
    if (!knows_birth_times()) GTEST_SKIP() << "this file system does not";
    for (const auto& [age_s, stays] :
         {std::pair(-10.0, false), {1.0, true}, {58.0, true}, {62.0, false}}) {
        testing::fs::remove(parent + "/" + name);
        testing::fs::create_directories(parent + "/" + name);
        be_later(age_s);
        EXPECT_THAT(clean().names, IsEmpty());
        EXPECT_EQ(exists(), stays) << age_s;
    }
}

TEST_F(HashDirTest, OneThatHeldSomethingGoesAtOnce) {
    be_later(1);
    put("gone");
    testing::fs::remove(parent + "/" + name + "/gone");
    EXPECT_THAT(clean().names, IsEmpty());
    EXPECT_FALSE(exists());
}

TEST_F(HashDirTest, AbsentIsEmptyAndAFileIsNoDirectory) {
    testing::fs::remove(parent + "/" + name);
    EXPECT_THAT(clean().names, IsEmpty());
    testing::write_file(parent + "/" + name);
    const auto dir = cleanup_hash_dir(context, {AT_FDCWD, parent, name}, {});
    ASSERT_TRUE(dir.has_error());
    EXPECT_EQ(dir.error().number, ENOTDIR);
}

}  // namespace
}  // namespace fragmend::swift
