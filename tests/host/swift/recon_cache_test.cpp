// Merging into object.recon beside everybody else.
#include "host/swift/recon_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "host/base/unique_fd.hpp"

namespace fragmend::swift {
namespace {

class ReconCache : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = std::filesystem::temp_directory_path() / "fragmend-recon-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        path_ = name + "/object.recon";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& text) const { std::ofstream(path_) << text; }
    std::string read() const {
        std::ifstream file(path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_),
                                                      std::filesystem::directory_iterator()));
    }

    std::string folder_;
    std::string path_;
};

TEST_F(ReconCache, MergesOneLevelDeepAndKeepsTheRest) {
    write(R"({"object_auditor_stats_ALL": {"passes": 12345678901234567890123, "x": 1e2}, )"
          R"("per": {"d1": {"t": 1}, "d2": {"t": 2}}, "gone": {"d": 1}, "t": 5})"
          "\nsecond line\n");
    ASSERT_TRUE(update_recon_cache(
        path_, {{{"t", "6.5"}}, {{"per", {{"d2", ""}, {"d3", "{\"t\": 3}"}}}, {"gone", {}}}}));
    EXPECT_EQ(read(),
              R"({"object_auditor_stats_ALL": {"passes": 12345678901234567890123, "x": 1e2}, )"
              R"("per": {"d1": {"t": 1}, "d3": {"t": 3}}, "t": 6.5})"
              "\n");
    EXPECT_EQ(files(), 1u);
}

TEST_F(ReconCache, BeginsAnewWhereThereIsNoObject) {
    for (const char* text : {"", "[1]\n", "{\"a\": \n", "garbage"}) {
        write(text);
        ASSERT_TRUE(update_recon_cache(path_, {{{"t", "1"}}, {}})) << text;
        EXPECT_EQ(read(), "{\"t\": 1}\n") << text;
    }
    std::filesystem::remove(path_);
    ASSERT_TRUE(update_recon_cache(path_, {{{"t", "2"}}, {{"per", {{"d1", ""}}}}}));
    EXPECT_EQ(read(), "{\"per\": {}, \"t\": 2}\n");
}

TEST_F(ReconCache, ScalarGivesWayToMembers) {
    write("{\"per\": 5}\n");
    ASSERT_TRUE(update_recon_cache(path_, {{}, {{"per", {{"d1", "1"}}}}}));
    EXPECT_EQ(read(), "{\"per\": {\"d1\": 1}}\n");
}

TEST_F(ReconCache, WaitsForALockAndGivesUp) {
    write("{}\n");
    UniqueFd other(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
    const auto refused = update_recon_cache(path_, {{{"t", "1"}}, {}});
    ASSERT_TRUE(refused.has_error());
    EXPECT_EQ(refused.error().code, errc::lock_timeout);
    EXPECT_EQ(refused.error().detail, "2 seconds: " + path_);
    EXPECT_EQ(read(), "{}\n");
}

TEST_F(ReconCache, FollowsAFileThatWasReplacedUnderTheLock) {
    write("{\"old\": 1}\n");
    UniqueFd other(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
    Result<void> done;
    std::thread waiter([this, &done] { done = update_recon_cache(path_, {{{"t", "1"}}, {}}); });
    std::ofstream(path_ + ".new") << "{\"new\": 1}\n";
    std::filesystem::rename(path_ + ".new", path_);
    other.reset();
    waiter.join();
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_EQ(read(), "{\"new\": 1, \"t\": 1}\n");
}

TEST_F(ReconCache, NamesTheFolderThatIsMissing) {
    const auto refused = update_recon_cache(folder_ + "/none/object.recon", {{{"t", "1"}}, {}});
    ASSERT_TRUE(refused.has_error());
    EXPECT_EQ(refused.error().code, errc::not_found);
    EXPECT_TRUE(load_recon_cache(folder_ + "/none/object.recon")->empty());
}

}  // namespace
}  // namespace fragmend::swift
