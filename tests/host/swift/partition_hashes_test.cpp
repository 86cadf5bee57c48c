// get_hashes: Swift's vectors, what makes it hash again, and that failure is never an empty result.
#include "host/swift/partition_hashes.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>

#include "host/base/md5.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/locks.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct GetHashes : testing::DiskFixture {
    const std::string object = "0123456789abcdef0123456789abcdef";

    void put(const std::string& file, const std::string& suffix = "def") {
        const std::string hash = object.substr(0, 29) + suffix;
        testing::write_file(partition_path() + "/" + suffix + "/" + hash + "/" + file);
    }
    Result<HashedPartition> ask(HashRequest request = {}) {
        return get_hashes(context, "d1", "7", request);
    }
    HashedPartition list() {
        auto result = ask({.recalculate = {}, .list_directory = true});
        EXPECT_TRUE(result) << to_string(result.error());
        return std::move(*result);
    }
    std::string stored() const { return testing::read_file(partition_path() + "/hashes.pkl"); }
};

TEST_F(GetHashes, GivesSwiftsVectors) {
    put("1795333043.19771#0#d.data");
    put("1795332145.61494#1#d.data", "abc");
    put("1795332155.61494-7a120.meta", "abc");
    const auto result = list();
    EXPECT_EQ(result.hashed, 2u);
    EXPECT_EQ(result.hashes.at("def"),
              (SuffixHash{{std::nullopt, "b243f8adf6b452c91bc67e3381809561"},
                          {0, "5ef30d63707a5501cad24510b5182e96"}}));
    EXPECT_EQ(result.hashes.at("abc"),
              (SuffixHash{{std::nullopt, "4c34d071917e88d1cfd88a35297129e1"},
                          {1, "e73e6fa4e267531e5fac2a7913ed0c85"}}));
}

TEST_F(GetHashes, TheSecondCallHashesNothingAndWritesNothing) {
    put("1795333043.19771#0#d.data");
    const auto first = list();
    const auto bytes = stored();
    const auto second = list();
    EXPECT_EQ(second.hashed, 0u);
    EXPECT_EQ(second.hashes, first.hashes);
    EXPECT_EQ(stored(), bytes);
}

TEST_F(GetHashes, AnInvalidatedSuffixIsHashedAgain) {
    put("1795333043.19771#0#d.data");
    const auto before = list();
    put("1795333043.19772#0#d.data");
    EXPECT_EQ(ask()->hashes, before.hashes);
    ASSERT_TRUE(invalidate_suffix(partition_path(), "def"));
    const auto after = ask();
    EXPECT_EQ(after->hashed, 1u);
    EXPECT_NE(after->hashes, before.hashes);
    EXPECT_EQ(testing::read_file(partition_path() + "/hashes.invalid"), "");
}

TEST_F(GetHashes, RecalculatesWhatItIsToldTo) {
    put("1795333043.19771#0#d.data");
    list();
    const auto result = ask({.recalculate = {"def", "aaa", "../x"}, .list_directory = false});
    EXPECT_EQ(result->hashed, 1u);
    EXPECT_EQ(result->hashes.size(), 1u);
}

TEST_F(GetHashes, AGarbageInvalidationMeansEverythingIsHashed) {
    put("1795333043.19771#0#d.data");
    list();
    put("1795333043.19771#0#d.data", "abc");
    testing::write_file(partition_path() + "/hashes.invalid", "abab");
    EXPECT_EQ(ask()->hashed, 2u);
    EXPECT_EQ(ask()->hashed, 0u);
}

TEST_F(GetHashes, EmptySuffixesDisappear) {
    testing::fs::create_directories(partition_path() + "/abc");
    testing::fs::create_directories(partition_path() + "/def/" + object);
    EXPECT_THAT(list().hashes, IsEmpty());
    EXPECT_FALSE(testing::fs::exists(partition_path() + "/abc"));
    EXPECT_FALSE(testing::fs::exists(partition_path() + "/def"));
}

TEST_F(GetHashes, DirectoriesThatAPutHasJustMadeStayWithoutAHash) {
    if (!knows_birth_times()) GTEST_SKIP() << "this file system does not";
    const std::string empty = partition_path() + "/abc";
    const std::string object_dir = partition_path() + "/def/" + object;
    testing::fs::create_directories(empty);
    testing::fs::create_directories(object_dir);
    be_later(1);
    EXPECT_THAT(list().hashes, IsEmpty());
    EXPECT_TRUE(testing::fs::exists(empty));
    EXPECT_TRUE(testing::fs::exists(object_dir));
    be_later(62);
    EXPECT_THAT(list().hashes, IsEmpty());
    EXPECT_FALSE(testing::fs::exists(empty));
    EXPECT_FALSE(testing::fs::exists(partition_path() + "/def"));
}

TEST_F(GetHashes, ASuffixWithNothingThatCountsIsEmptyAndLookedAtEachTime) {
    put("junk");
    EXPECT_EQ(list().hashes.at("def"), SuffixHash{});
    EXPECT_EQ(ask()->hashed, 1u);
}

TEST_F(GetHashes, NamesThatAreNoSuffixesAreLeftAlone) {
    testing::write_file(partition_path() + "/ABC/x/1.00000.ts");
    testing::write_file(partition_path() + "/abc");
    EXPECT_THAT(list().hashes, IsEmpty());
    EXPECT_TRUE(testing::fs::exists(partition_path() + "/ABC/x/1.00000.ts"));
    EXPECT_TRUE(testing::fs::exists(partition_path() + "/abc"));
}

TEST_F(GetHashes, WhatAWriterLeftUnfinishedGoesWhenItIsOld) {
    const auto left = [&](const char* name, double age_s) {
        const std::string path = partition_path() + "/" + name;
        testing::write_file(path);
        set_modified(path, age_s);
        return path;
    };
    const auto old = left("tmpabcdef.tmp", 604900);
    const auto young = left("tmpghijkl.tmp", 604700);
    const auto other = left("tmp.other", 604900);
    list();
    EXPECT_FALSE(testing::fs::exists(old));
    EXPECT_TRUE(testing::fs::exists(young));
    EXPECT_TRUE(testing::fs::exists(other));
    context.reclaim_age_s = 0;
    const auto fresh = left("tmpmnopqr.tmp", 60);
    list();
    EXPECT_FALSE(testing::fs::exists(young));
    EXPECT_TRUE(testing::fs::exists(fresh)) << "somebody is writing it";
}

TEST_F(GetHashes, WhatCannotBeListedIsAnErrorAndNeverEmpty) {
    EXPECT_EQ(get_hashes(context, "d1", "8", {}).error().code, errc::not_found);
    EXPECT_FALSE(testing::fs::exists(scratch / "d1/objects-1/8"));
    EXPECT_EQ(get_hashes(context, "d2", "7", {}).error().code, errc::not_mounted);
    testing::write_file(scratch / "d1/objects-1/9");
    EXPECT_EQ(get_hashes(context, "d1", "9", {}).error().code, errc::bad_name);
}

TEST_F(GetHashes, ASuffixThatCannotBeHashedIsNamed) {
    put("1795333043.19771#0#d.data");
    // Its quarantine is not possible: a file lies where that folder would be.
    testing::write_file(partition_path() + "/def/stray");
    testing::write_file(scratch / "d1/quarantined");
    const auto result = list();
    EXPECT_THAT(result.failed, ElementsAre("def"));
    EXPECT_THAT(result.hashes, IsEmpty());
    EXPECT_TRUE(lines.contains("ERROR Error hashing suffix: "));
    testing::fs::remove(scratch / "d1/quarantined");
    const auto again = ask();
    EXPECT_THAT(again->failed, IsEmpty());
    EXPECT_EQ(again->hashes.size(), 1u);
}

TEST_F(GetHashes, WhatFailsIsSaidOnceToWhoLooksTwice) {
    put("1795333043.19771#0#d.data");
    put("1795333043.19771#0#d.data", "abc");
    for (const char* suffix : {"abc", "def"})
        testing::write_file(partition_path() + "/" + suffix + "/stray");
    testing::write_file(scratch / "d1/quarantined");
    const auto errors = [this](const std::string& part) {
        const auto all = lines.lines();
        return std::ranges::count_if(all, [&](const std::string& line) {
            return line.starts_with("ERROR ") && line.find(part) != std::string::npos;
        });
    };
    static_cast<void>(list());
    EXPECT_EQ(errors("Error hashing suffix"), 2);
    const HashRequest second{
        .recalculate = {"abc"}, .list_directory = false, .is_second_look = true};
    EXPECT_THAT(ask(second)->failed, ElementsAre("abc", "def"));
    EXPECT_EQ(errors("Error hashing suffix"), 2);
}

TEST_F(GetHashes, WhatFailsOnlyAtASecondLookIsSaid) {
    put("1795333043.19771#0#d.data");
    EXPECT_THAT(list().failed, IsEmpty());
    testing::write_file(partition_path() + "/def/stray");
    testing::write_file(scratch / "d1/quarantined");
    const HashRequest second{
        .recalculate = {"def"}, .list_directory = false, .is_second_look = true};
    EXPECT_THAT(ask(second)->failed, ElementsAre("def"));
    EXPECT_TRUE(lines.contains("ERROR Error hashing suffix: "));
}

TEST_F(GetHashes, AFileAmongHashDirectoriesIsQuarantined) {
    put("1795333043.19771#0#d.data");
    testing::write_file(partition_path() + "/def/stray", "bytes");
    EXPECT_EQ(list().hashes.size(), 1u);
    EXPECT_EQ(testing::read_file(scratch / "d1/quarantined/objects-1/stray"), "bytes");
    EXPECT_TRUE(lines.contains("because it is not a directory"));
}

TEST_F(GetHashes, StartsOverWhenSomebodyElseWrites) {
    put("1795333043.19771#0#d.data");
    list();
    put("1795333043.19771#0#d.data", "abc");
    // The log line of the listing comes between reading and writing: a rival writes there, once.
    struct Rival final : LogSink {
        std::string path;
        int left = 1;
        void write(LogLevel, std::string_view message) override {
            if (!message.starts_with("Run listdir") || left-- <= 0) return;
            StoredHashes rival;
            rival.valid = true;
            rival.suffixes["fff"] = std::nullopt;
            ASSERT_TRUE(write_hashes_file(path, rival, testing::test_now()));
        }
    } rival;
    rival.path = partition_path();
    context.logger = Logger(&rival, LogLevel::debug);
    const auto result = list();
    EXPECT_EQ(rival.left, -1);
    EXPECT_EQ(result.hashes.size(), 2u);
    EXPECT_EQ(parse_stored_hashes(stored()).suffixes.size(), 2u);
}

TEST_F(GetHashes, LosesNoInvalidationMadeWhileItHashes) {
    put("1795333043.19771#0#d.data");
    struct Rival final : LogSink {
        std::string path;
        void write(LogLevel, std::string_view message) override {
            if (!message.starts_with("Run listdir")) return;
            ASSERT_TRUE(invalidate_suffix(path, "def"));
        }
    } rival;
    rival.path = partition_path();
    context.logger = Logger(&rival, LogLevel::debug);
    list();
    EXPECT_EQ(testing::read_file(partition_path() + "/hashes.invalid"), "def\n");
    EXPECT_EQ(ask()->hashed, 1u);
}

TEST_F(GetHashes, FilesGetSwiftsModes) {
    put("1795333043.19771#0#d.data");
    ASSERT_TRUE(invalidate_suffix(partition_path(), "def"));
    list();
    const auto mode = [&](const char* name) {
        struct stat status {};
        ::stat((partition_path() + "/" + name).c_str(), &status);
        return status.st_mode & 0777;
    };
    EXPECT_EQ(mode("hashes.pkl"), 0600u);
    EXPECT_EQ(mode("hashes.invalid"), 0644u);
    EXPECT_EQ(mode(".lock"), 0755u);
    for (const auto& entry : testing::fs::directory_iterator(partition_path())) {
        EXPECT_NE(entry.path().extension(), ".tmp");
    }
}

}  // namespace
}  // namespace fragmend::swift
