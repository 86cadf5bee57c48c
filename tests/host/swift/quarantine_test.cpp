// Quarantine: where things go, and that the suffix is hashed again.
#include "host/swift/quarantine.hpp"

#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

struct Quarantine : testing::DiskFixture {
    const std::string name = "0123456789abcdef0123456789abcdef";
    std::string hash_dir = partition_path() + "/def/" + name;
    std::string device = scratch / "d1";
    std::string quarantined = device + "/quarantined/objects-1/";

    std::string invalid() const { return testing::read_file(partition_path() + "/hashes.invalid"); }
};

TEST_F(Quarantine, MovesAHashDirectoryAndInvalidatesItsSuffix) {
    testing::write_file(hash_dir + "/1.00000.ts", "x");
    const auto error = quarantine_object(context, device, hash_dir + "/1.00000.ts", "no good");
    EXPECT_EQ(error.code, errc::quarantined);
    EXPECT_EQ(error.detail, "no good");
    EXPECT_EQ(testing::read_file(quarantined + name + "/1.00000.ts"), "x");
    EXPECT_FALSE(testing::fs::exists(hash_dir));
    EXPECT_EQ(invalid(), "def\ndef\n");
    EXPECT_TRUE(lines.contains("WARNING Quarantined object " + hash_dir + "/1.00000.ts: no good"));
    EXPECT_EQ(quarantines, 1u);
}

TEST_F(Quarantine, FindsAnotherNameWhenOneIsTaken) {
    for (const char* content : {"first", "second"}) {
        testing::write_file(hash_dir + "/file", content);
        ASSERT_TRUE(quarantine_directory(context, device, hash_dir));
    }
    testing::write_file(hash_dir, "a file in its place");
    const auto third = quarantine_directory(context, device, hash_dir);
    ASSERT_TRUE(third) << to_string(third.error());
    EXPECT_EQ(testing::read_file(quarantined + name + "/file"), "first");
    EXPECT_EQ(third->size(), quarantined.size() + name.size() + 33);
    EXPECT_EQ(testing::read_file(*third), "a file in its place");
}

TEST_F(Quarantine, MovesAWholeSuffix) {
    testing::write_file(hash_dir + "/file");
    ASSERT_TRUE(quarantine_directory(context, device, partition_path() + "/def"));
    EXPECT_TRUE(testing::fs::exists(quarantined + "def/" + name + "/file"));
    EXPECT_EQ(invalid(), "def\ndef\n");
}

TEST_F(Quarantine, MovesNothingForOtherErrors) {
    testing::write_file(hash_dir + "/file");
    EXPECT_TRUE(quarantine_unlistable(context, device, hash_dir, EIO).has_error());
    EXPECT_TRUE(testing::fs::exists(hash_dir + "/file"));
    EXPECT_EQ(quarantine_unlistable(context, device, hash_dir, ENODATA).value(), hash_dir);
    EXPECT_TRUE(lines.contains("because it could not be listed"));
    EXPECT_EQ(quarantine_unlistable(context, device, hash_dir, ENODATA).value(),
              partition_path() + "/def");
    EXPECT_TRUE(testing::fs::exists(quarantined + "def"));
}

TEST_F(Quarantine, SaysWhenItCannotMove) {
    testing::write_file(hash_dir + "/file");
    testing::write_file(device + "/quarantined");
    const auto error = quarantine_object(context, device, hash_dir + "/file", "no good");
    EXPECT_NE(error.code, errc::quarantined);
    EXPECT_TRUE(testing::fs::exists(hash_dir + "/file"));
    EXPECT_EQ(quarantines, 0u);
}

}  // namespace
}  // namespace fragmend::swift
