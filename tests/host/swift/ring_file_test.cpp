// Reloading a ring when its file changes.
#include "host/swift/ring_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/host/swift/ring_builder.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::swift {
namespace {

using namespace std::chrono_literals;

class RingFileOnDisk : public testing::Test {
  protected:
    RingFileOnDisk() {
        policy_.index = 1;
        policy_.name = "ec";
        policy_.type = PolicyType::erasure_coding;
        policy_.k = 1;
        policy_.m = 1;
    }

    // A ring of one partition on the given devices, with an mtime of its own.
    void write(std::vector<char> device_ids) {
        std::string devices;
        std::string rows;
        for (int id = 0; id < 4; ++id) {
            devices += std::string(id == 0 ? "" : ",") + "{\"id\": " + std::to_string(id) +
                       ", \"zone\": 0, \"ip\": \"10.0.0.1\", \"port\": 6200, \"device\": \"d\"}";
        }
        for (const char id : device_ids)
            rows += std::string{id, '\0'};
        write_bytes(test::gzip(
            test::v1_bytes("{\"part_shift\": 32, \"byteorder\": \"little\", \"replica_count\": " +
                               std::to_string(device_ids.size()) + ", \"devs\": [" + devices + "]}",
                           rows)));
    }
    void write_bytes(std::string_view bytes) {
        const std::string path = directory_.write("object-1.ring.gz", bytes);
        std::filesystem::last_write_time(
            path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(++writes_));
    }

    fragmend::test::TemporaryDirectory directory_;
    fragmend::test::RecordedLog log_;
    Policy policy_;
    int writes_ = 0;
    const RingFile::Instant start_ = RingFile::Instant(1000s);
};

TEST_F(RingFileOnDisk, LoadsAndKeepsTheRingForTheInterval) {
    write({0, 1});
    RingFile file(directory_.path(), policy_, log_.logger());
    const auto ring = file.load(start_);
    ASSERT_TRUE(ring) << to_string(ring.error());
    EXPECT_FALSE(*file.has_changed());
    write({2, 3});
    EXPECT_TRUE(*file.has_changed());
    EXPECT_EQ(file.current(start_ + 15s), *ring);
    EXPECT_EQ(file.known(), *ring);
    const RingPtr reloaded = file.current(start_ + 15s + 1ns);
    EXPECT_NE(reloaded, *ring);
    EXPECT_EQ(reloaded->primaries(0).front().id, 2u);
    EXPECT_EQ((*ring)->primaries(0).front().id, 0u);
    EXPECT_FALSE(*file.has_changed());
    EXPECT_TRUE(log_.lines.empty());
}

TEST_F(RingFileOnDisk, NewestDoesNotWaitForTheInterval) {
    write({0, 1});
    RingFile file(directory_.path(), policy_, log_.logger());
    const RingPtr ring = file.load(start_).value();
    EXPECT_EQ(file.newest(start_ + 1s), ring);
    write({2, 3});
    EXPECT_EQ(file.current(start_ + 2s), ring);
    EXPECT_NE(file.newest(start_ + 2s), ring);
}

TEST_F(RingFileOnDisk, KeepsTheOldRingAndReportsABadOneOnce) {
    write({0, 1});
    RingFile file(directory_.path(), policy_, log_.logger());
    const RingPtr ring = file.load(start_).value();
    write_bytes("no ring");
    EXPECT_EQ(file.current(start_ + 20s), ring);
    EXPECT_EQ(file.current(start_ + 40s), ring);
    ASSERT_EQ(log_.lines.size(), 1u);
    EXPECT_EQ(log_.lines[0],
              "ERROR Keeping the old ring: " + file.path() + ": the gzip stream is damaged");
    write({0, 1, 2});
    EXPECT_EQ(file.current(start_ + 60s), ring);
    EXPECT_EQ(log_.lines.size(), 2u);
    write({1, 0});
    EXPECT_NE(file.current(start_ + 80s), ring);
    EXPECT_EQ(log_.lines.size(), 2u);
}

TEST_F(RingFileOnDisk, SurvivesAMissingFile) {
    write({0, 1});
    RingFile file(directory_.path(), policy_, log_.logger());
    const RingPtr ring = file.load(start_).value();
    std::filesystem::remove(file.path());
    EXPECT_EQ(file.current(start_ + 20s), ring);
    EXPECT_EQ(file.current(start_ + 40s), ring);
    EXPECT_EQ(log_.lines.size(), 1u);
    EXPECT_FALSE(file.has_changed());
}

TEST_F(RingFileOnDisk, KeepsTheOldRingBesideAFileThatCannotBeRead) {
    write({0, 1});
    RingFile file(directory_.path(), policy_, log_.logger());
    const RingPtr ring = file.load(start_).value();
    // What not even root can read.
    std::filesystem::remove(file.path());
    std::filesystem::create_directory(file.path());
    EXPECT_EQ(file.newest(start_ + 1s), ring);
    EXPECT_EQ(file.newest(start_ + 2s), ring);
    EXPECT_EQ(log_.lines.size(), 1u);
    EXPECT_FALSE(*file.has_changed());
    // It becomes readable without a new mtime.
    const auto mtime = std::filesystem::last_write_time(file.path());
    std::filesystem::remove(file.path());
    write({2, 3});
    std::filesystem::last_write_time(file.path(), mtime);
    EXPECT_FALSE(*file.has_changed());
    EXPECT_NE(file.newest(start_ + 3s), ring);
    EXPECT_FALSE(*file.has_changed());
    EXPECT_EQ(log_.lines.size(), 1u);
}

TEST_F(RingFileOnDisk, StartNeedsARingThatFits) {
    RingFile file(directory_.path(), policy_, log_.logger());
    EXPECT_EQ(file.load(start_).error().code, errc::not_found);
    write({0, 1, 2});
    EXPECT_EQ(file.load(start_).error().detail,
              file.path() +
                  ": EC ring for policy ec needs to be configured with exactly 2 replicas. Got 3.");
}

}  // namespace
}  // namespace fragmend::swift
