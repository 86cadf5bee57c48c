// What a scan lists, leaves out, makes and removes.
#include "host/scan/collect.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "tests/host/swift/ring_builder.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::scan {
namespace {

namespace fs = std::filesystem;

class FixedClock final : public Clock {
  public:
    Timestamp now() const override { return SystemClock().now(); }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
};

// A ring of four partitions with device 0 as primary of 0 and 1; devices sd0 and sd1 are local.
class CollectPartitions : public testing::Test {
  protected:
    CollectPartitions() {
        policy_.index = 1;
        policy_.name = "ec";
        policy_.type = swift::PolicyType::erasure_coding;
        policy_.k = policy_.m = 1;
        parts_ = swift::test::make_parts({{0, 0, 1, 1}, {2, 2, 2, 2}}, 3);
        disk_.devices_root = directory_.path();
        disk_.mount_check = false;
        disk_.data_dir_name = policy_.data_dir();
        disk_.logger = log_.logger();
        disk_.clock = &clock_;
    }

    std::string data_dir(std::string_view device) {
        return directory_.file(std::string(device) + "/objects-1");
    }
    void make(std::string_view device, std::string_view name) {
        fs::create_directories(data_dir(device) + "/" + std::string(name));
    }
    std::vector<std::string> collect() {
        const auto ring = swift::Ring::make(parts_).value();
        const std::vector<Node> local = {*parts_.devices[0], *parts_.devices[1]};
        found_ = collect_partitions(disk_, policy_, *ring, local, options_);
        std::vector<std::string> names;
        for (const Partition& partition : found_.partitions) {
            EXPECT_EQ(partition.policy_index, 1);
            EXPECT_EQ(partition.name, std::to_string(partition.number));
            EXPECT_EQ(partition.path,
                      data_dir(partition.local_device.device) + "/" + partition.name);
            names.push_back(partition.local_device.device + "/" + partition.name);
        }
        std::ranges::sort(names);
        return names;
    }

    FixedClock clock_;
    swift::DiskContext disk_;
    swift::Policy policy_;
    test::TemporaryDirectory directory_;
    test::RecordedLog log_;
    swift::RingParts parts_;
    CollectOptions options_;
    Collected found_;
};

using Found = std::vector<std::string>;

TEST_F(CollectPartitions, ListsEveryLocalDevice) {
    make("sd0", "0");
    make("sd0", "3");
    make("sd1", "2");
    directory_.write("sd0/objects-1/auditor_status_ALL.json", "{}");
    EXPECT_EQ(collect(), (Found{"sd0/0", "sd0/3", "sd1/2"}));
    EXPECT_EQ(found_.devices, 2u);
    EXPECT_EQ(found_.entries, 4u);
    EXPECT_TRUE(log_.lines.empty());
}

TEST_F(CollectPartitions, LeavesWhatItDoesNotKnow) {
    make("sd0", "0");
    make("sd1", "1");
    for (const char* name : {"4", "007", "scratch", "-1", "1x"})
        make("sd0", name);
    directory_.write("sd0/objects-1/scratch/kept", "bytes");
    EXPECT_EQ(collect(), (Found{"sd0/0", "sd1/1"}));
    EXPECT_EQ(log_.lines.size(), 5u);
    EXPECT_TRUE(fs::exists(data_dir("sd0") + "/scratch/kept"));
    EXPECT_NE(std::ranges::find(log_.lines, "WARNING Unexpected entity in data dir: '" +
                                                data_dir("sd0") + "/4' (left alone)"),
              log_.lines.end());
}

TEST_F(CollectPartitions, MakesAMissingDataDirectory) {
    fs::create_directories(directory_.file("sd0"));
    make("sd1", "1");
    EXPECT_EQ(collect(), Found{"sd1/1"});
    EXPECT_TRUE(fs::is_directory(data_dir("sd0")));
}

TEST_F(CollectPartitions, UnmountedAndUnreadableDevicesStopNobody) {
    make("sd1", "1");
    EXPECT_EQ(collect(), Found{"sd1/1"});
    EXPECT_EQ(log_.lines, Found{"WARNING sd0 is not mounted"});
    EXPECT_EQ(found_.devices, 2u);
    EXPECT_EQ(found_.devices_unmounted, 1u);
    EXPECT_FALSE(fs::exists(directory_.file("sd0")));

    log_.lines.clear();
    directory_.write("sd0/objects-1", "a file");
    EXPECT_EQ(collect(), Found{"sd1/1"});
    EXPECT_EQ(log_.lines, Found{"ERROR Unable to list partitions in '" + data_dir("sd0") +
                                "': Not a directory"});
}

TEST_F(CollectPartitions, OverridesSelect) {
    for (const char* name : {"0", "1", "2"}) {
        make("sd0", name);
        make("sd1", name);
    }
    options_.devices = {"sd1", "sd9"};
    options_.partitions = {1, 2, 99};
    EXPECT_EQ(collect(), (Found{"sd1/1", "sd1/2"}));
    EXPECT_EQ(found_.devices, 1u);
}

TEST_F(CollectPartitions, HandoffsOnlyLeavesPrimariesOut) {
    for (const char* name : {"0", "1", "2"})
        make("sd0", name);
    make("sd1", "0");
    options_.handoffs_only = true;
    EXPECT_EQ(collect(), (Found{"sd0/2", "sd1/0"}));
}

TEST_F(CollectPartitions, SkipsAPolicyWhosePartPowerChanges) {
    make("sd0", "0");
    parts_.next_part_power = 3;
    EXPECT_TRUE(collect().empty());
    EXPECT_EQ(log_.lines, Found{"WARNING next_part_power set in policy 'ec'. Skipping"});
    EXPECT_EQ(found_.devices, 0u);
}

TEST_F(CollectPartitions, RemovesOldTemporaryFilesOnly) {
    make("sd0", "0");
    make("sd1", "0");
    const std::string old = directory_.write("sd0/tmp-1/old", "x");
    const std::string recent = directory_.write("sd0/tmp-1/recent", "x");
    const std::string below = directory_.write("sd0/tmp-1/directory/old", "x");
    const std::string other = directory_.write("sd0/tmp/old", "x");
    const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
    for (const std::string& path : {old, below, other})
        fs::last_write_time(path, long_ago);
    disk_.reclaim_age_s = 3600;
    collect();
    EXPECT_FALSE(fs::exists(old));
    EXPECT_TRUE(fs::exists(recent));
    EXPECT_TRUE(fs::exists(below));
    EXPECT_TRUE(fs::exists(other));
}

}  // namespace
}  // namespace fragmend::scan
