// The yardstick writes what it is said to write.
#include "host/demo/plain_writer.hpp"

#include <gtest/gtest.h>

#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;
using swift::testing::ScratchFolder;

std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(WritePlainly, CopiesEveryFileOnAnyNumberOfThreads) {
    ScratchFolder scratch;
    for (int i = 0; i < 20; ++i) {
        const fs::path folder = scratch / ("d" + std::to_string(i % 2) + "/" + std::to_string(i));
        fs::create_directories(folder);
        std::ofstream(folder / "file") << std::string(static_cast<std::size_t>(i) * 1000, 'a');
    }
    const std::atomic<bool> go{false};
    for (const unsigned threads : {1u, 16u}) {
        const std::string target = scratch / ("to" + std::to_string(threads));
        const auto report =
            write_plainly({scratch / "d0", scratch / "d1"}, target, threads, true, go);
        ASSERT_TRUE(report.has_value()) << report.error().detail;
        EXPECT_EQ(report->files, 20u);
        EXPECT_EQ(report->bytes, 190'000u);
        EXPECT_GT(report->seconds, 0);
        for (int i = 0; i < 20; ++i) {
            const std::string name = "d" + std::to_string(i % 2) + "/" + std::to_string(i);
            EXPECT_EQ(content(target + "/" + name + "/file"), content(scratch / (name + "/file")));
        }
    }
}

TEST(WritePlainly, EndsWhenToldAndWhenItCannotWrite) {
    ScratchFolder scratch;
    fs::create_directories(scratch / "d");
    std::ofstream(scratch / "d/file") << "x";
    const std::atomic<bool> stop{true};
    EXPECT_EQ(write_plainly({scratch / "d"}, scratch / "to", 1, true, stop).error().code,
              errc::cancelled);
    std::ofstream(scratch / "blocked") << "";
    const std::atomic<bool> go{false};
    const auto report = write_plainly({scratch / "d"}, scratch / "blocked", 4, true, go);
    ASSERT_TRUE(report.has_error());
    EXPECT_NE(report.error().detail.find("blocked"), std::string::npos);
}

}  // namespace
}  // namespace fragmend::demo
