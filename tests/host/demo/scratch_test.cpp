// Folders for clusters: found, refused with reasons, removed.
#include "host/demo/scratch.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;
using swift::testing::ScratchFolder;

TEST(Scratch, TakesTheFirstUsablePlaceAndLeavesNothingBehind) {
    ScratchFolder place;
    std::string path;
    {
        // proc can never be written to.
        auto scratch = Scratch::make({place / "missing", "/proc", place.path()}, "demo", 1);
        ASSERT_TRUE(scratch.has_value()) << scratch.error().detail;
        path = scratch->path();
        EXPECT_EQ(fs::path(path).parent_path(), place.path());
        fs::create_directories(path + "/a/b");
        std::ofstream(path + "/a/b/c") << "x";
    }
    EXPECT_FALSE(fs::exists(path));
    EXPECT_TRUE(fs::is_empty(place.path()));
}

TEST(Scratch, StaysWhenItIsKept) {
    ScratchFolder place;
    std::string path;
    {
        auto scratch = Scratch::make({place.path() + "/"}, "demo", 1);
        ASSERT_TRUE(scratch.has_value());
        scratch->keep();
        path = scratch->path();
    }
    EXPECT_TRUE(fs::exists(path));
}

TEST(Scratch, SaysOfEachPlaceWhatIsWrongAndWhatToDo) {
    ScratchFolder place;
    const auto full = Scratch::make({place.path(), place / "missing"}, "demo", 1ull << 60);
    ASSERT_TRUE(full.has_error());
    EXPECT_NE(full.error().detail.find("are needed"), std::string::npos) << full.error().detail;
    EXPECT_NE(full.error().detail.find("missing: No such file"), std::string::npos);
    EXPECT_NE(full.error().detail.find("--dir"), std::string::npos);
    EXPECT_TRUE(fs::is_empty(place.path()));
}

}  // namespace
}  // namespace fragmend::demo
