// Device names and mount points.
#include "host/swift/mount_check.hpp"

#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

using MountCheck = testing::DiskFixture;

TEST_F(MountCheck, RefusesNamesThatQuotingWouldChange) {
    for (const char* name : {"", ".", "..", "a/b", "a b", "a%b", "\xc3\xa9", "a+b"}) {
        const auto checked = check_device(context, name);
        ASSERT_TRUE(checked.has_error()) << name;
        EXPECT_EQ(checked.error().code, errc::not_mounted);
    }
    EXPECT_TRUE(is_device_name("sd_a1-2.3~4"));
}

TEST_F(MountCheck, AcceptsAnyDirectoryWithoutTheCheck) {
    EXPECT_TRUE(check_device(context, "d1"));
    EXPECT_EQ(check_device(context, "d2").error().detail,
              scratch.path() + "/d2 is not a directory");
    testing::write_file(scratch / "file");
    EXPECT_TRUE(check_device(context, "file").has_error());
}

TEST_F(MountCheck, WantsAMountPointOrAStub) {
    context.mount_check = true;
    EXPECT_EQ(check_device(context, "d1").error().detail, scratch.path() + "/d1 is not mounted");
    testing::write_file(scratch / "d1/.ismount");
    EXPECT_TRUE(check_device(context, "d1"));
    EXPECT_TRUE(is_mount_point("/proc"));
    EXPECT_TRUE(is_mount_point("/"));
    EXPECT_FALSE(is_mount_point(scratch / "none"));
    std::filesystem::create_directory_symlink("/proc", scratch / "link");
    EXPECT_FALSE(is_mount_point(scratch / "link"));
    std::filesystem::create_directory_symlink(scratch / "d1", scratch / "stubbed");
    EXPECT_TRUE(is_mount_point(scratch / "stubbed"));
}

}  // namespace
}  // namespace fragmend::swift
