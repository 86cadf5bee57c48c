// Scan, jobs and suffix deltas against the real reconstructor.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "host/scan/collect.hpp"
#include "host/scan/jobs.hpp"
#include "host/scan/suffix_delta.hpp"
#include "host/swift/local_devices.hpp"
#include "host/swift/ring_decode.hpp"
#include "tests/interop/python_oracle.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::scan {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr int case_count = 40;

swift::PartitionHashes hashes_of(const json::value& value) {
    swift::PartitionHashes hashes;
    for (const auto& [suffix, entries] : value.as_object()) {
        swift::SuffixHash& suffix_hash = hashes[std::string(suffix)];
        for (const auto& [key, md5] : entries.as_object()) {
            std::optional<int> index;
            if (!key.empty()) index = std::stoi(std::string(key));
            suffix_hash[index] = json::value_to<std::string>(md5);
        }
    }
    return hashes;
}

json::array texts_of(const std::vector<swift::SuffixName>& suffixes) {
    json::array texts;
    for (const std::string_view suffix : suffixes)
        texts.emplace_back(suffix);
    return texts;
}

json::value job_as_json(std::string_view type, std::optional<int> index,
                        std::vector<swift::SuffixName> suffixes, const std::vector<Partner>& peers,
                        std::optional<int> primary) {
    std::ranges::sort(suffixes);
    json::array to;
    for (const Partner& peer : peers)
        to.push_back({peer.node.id, peer.primary_index});
    const auto or_null = [](std::optional<int> number) {
        return number ? json::value(*number) : json::value(nullptr);
    };
    return json::object{{"type", type},
                        {"index", or_null(index)},
                        {"suffixes", texts_of(suffixes)},
                        {"to", to},
                        {"primary", or_null(primary)}};
}

std::vector<std::string> list_tree(const std::string& root) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        names.push_back(fs::relative(entry.path(), root).string());
    }
    std::ranges::sort(names);
    return names;
}

class ScanInterop : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        directory_ = std::make_unique<test::TemporaryDirectory>();
        ran_ = test::run_oracle("tests/interop/scan/scan_oracle.py",
                                directory_->path() + " " + std::to_string(test::seed_for_test()) +
                                    " " + std::to_string(case_count));
    }
    static void TearDownTestSuite() { directory_.reset(); }
    void SetUp() override {
        if (!ran_) GTEST_SKIP() << "this machine has no Swift";
    }

    // Calls `check` for every case with its answer; policy_ and ring_ are those of the case.
    template <typename Check>
    void for_each_case(Check check) {
        for (int number = 0; number < case_count && !HasFailure(); ++number) {
            const std::string base = directory_->file("scan-" + std::to_string(number));
            SCOPED_TRACE(base);
            const json::value answer = test::read_json(base + ".json");
            policy_.index = 1;
            policy_.name = "ec";
            policy_.type = swift::PolicyType::erasure_coding;
            policy_.k = answer.at("k").to_number<int>();
            policy_.m = answer.at("m").to_number<int>();
            policy_.duplication_factor = answer.at("factor").to_number<int>();
            ring_ = swift::decode_ring(as_bytes_view(test::read_text(base + ".ring.gz"))).value();
            ASSERT_TRUE(ring_->check_fits(policy_));
            check(answer);
        }
    }

    void check_jobs(const json::value& expected) {
        const auto number = expected.at("partition").to_number<std::uint32_t>();
        const auto device = expected.at("device").to_number<std::uint32_t>();
        const Partition partition{1, *ring_->devices()[device], number, std::to_string(number),
                                  "/srv/node/x"};
        const auto hashes = hashes_of(expected.at("hashes"));
        const PartitionJobs found = build_jobs(partition, hashes, *ring_, policy_, random_);
        if (expected.at("jobs").is_null()) {
            ++swift_failed_;
            return;
        }
        json::array jobs;
        if (found.sync) {
            const SyncJob& job = *found.sync;
            EXPECT_EQ(job.hashes, HashPairs(hashes, job.fragment_index));
            jobs.push_back(job_as_json("sync_only", job.fragment_index, job.suffixes, job.partners,
                                       job.fragment_index));
        }
        for (const RevertJob& job : found.reverts) {
            jobs.push_back(job_as_json("sync_revert", job.fragment_index, job.suffixes, job.targets,
                                       job.primary_fragment_index));
        }
        json::array wanted = expected.at("jobs").as_array();
        if (!wanted.empty() && wanted[0].at("index").is_null()) {
            check_sample(jobs, wanted, number);
        }
        EXPECT_EQ(jobs, wanted) << json::serialize(expected);
        EXPECT_FALSE(found.is_removable && !wanted.empty());
        ++compared_;
    }

    // A sample is random: it has to be as large as Swift's, without repetition, of primaries.
    void check_sample(json::array& jobs, json::array& wanted, std::uint32_t number) {
        ASSERT_EQ(jobs.size(), 1u);
        const auto& ours = jobs[0].at("to").as_array();
        EXPECT_EQ(ours.size(), wanted[0].at("to").as_array().size());
        const auto primaries = ring_->primaries(number);
        std::set<std::size_t> seen;
        for (const auto& peer : ours) {
            const auto place = peer.at(1).to_number<std::size_t>();
            EXPECT_TRUE(seen.insert(place).second);
            EXPECT_EQ(primaries.at(place).id, peer.at(0).to_number<std::uint32_t>());
        }
        jobs[0].as_object()["to"] = nullptr;
        wanted[0].as_object()["to"] = nullptr;
        ++samples_;
    }

    static inline std::unique_ptr<test::TemporaryDirectory> directory_;
    static inline bool ran_ = false;
    swift::Policy policy_;
    swift::RingPtr ring_;
    std::mt19937_64 random_{1};
    int compared_ = 0;
    int samples_ = 0;
    int swift_failed_ = 0;
};

TEST_F(ScanInterop, JobsOfRandomPartitions) {
    for_each_case([this](const json::value& answer) {
        for (const auto& entry : answer.at("jobs").as_array())
            check_jobs(entry);
    });
    std::cout << compared_ << " partitions compared, " << samples_ << " with a sample, "
              << swift_failed_ << " where Swift fails\n";
    EXPECT_GT(compared_, case_count * 20);
}

TEST_F(ScanInterop, SuffixDeltas) {
    for_each_case([](const json::value& answer) {
        for (const auto& entry : answer.at("deltas").as_array()) {
            auto found =
                suffix_delta({hashes_of(entry.at("local")), entry.at("ours").to_number<int>()},
                             {hashes_of(entry.at("remote")), entry.at("theirs").to_number<int>()});
            std::ranges::sort(found);
            EXPECT_EQ(texts_of(found), entry.at("delta").as_array());
        }
    });
}

TEST_F(ScanInterop, PartitionsOfRandomDevices) {
    for_each_case([this](const json::value& answer) {
        const json::value& expected = answer.at("collect");
        const SystemClock clock;
        test::RecordedLog log;
        swift::DiskContext disk;
        disk.devices_root = json::value_to<std::string>(expected.at("root"));
        disk.mount_check = false;
        disk.reclaim_age_s = 3600;
        disk.data_dir_name = policy_.data_dir();
        disk.logger = log.logger();
        disk.clock = &clock;
        CollectOptions options;
        options.devices = json::value_to<std::vector<std::string>>(expected.at("devices"));
        options.partitions = json::value_to<std::vector<std::uint64_t>>(expected.at("partitions"));
        options.handoffs_only = expected.at("handoffs_only").as_bool();
        const auto local = swift::local_devices(*ring_, {"10.0.0.1"}, 6200);
        const Collected found = collect_partitions(disk, policy_, *ring_, local, options);

        std::vector<std::string> names;
        for (const Partition& partition : found.partitions) {
            names.push_back(partition.local_device.device + "/" + partition.name);
        }
        std::ranges::sort(names);
        EXPECT_EQ(names, json::value_to<std::vector<std::string>>(expected.at("found")));
        EXPECT_EQ(found.devices, expected.at("device_count").to_number<std::uint64_t>());
        EXPECT_EQ(found.entries, expected.at("entries").to_number<std::uint64_t>());
        EXPECT_EQ(list_tree(disk.devices_root),
                  json::value_to<std::vector<std::string>>(expected.at("tree")));
    });
}

}  // namespace
}  // namespace fragmend::scan
