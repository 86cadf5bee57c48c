// Where objects may lie: by the ring that was loaded last, whatever became of its file since.
#include "host/server/policy_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/host/swift/ring_builder.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::server {
namespace {

/// Each look is later than the last one by more than rings are kept without looking.
class LeapingClock final : public Clock {
  public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override {
        return now_ += 2 * swift::RingFile::check_interval;
    }

  private:
    mutable std::chrono::steady_clock::time_point now_{};
};

struct StoreWithRing : ::testing::Test {
    StoreWithRing() {
        store.policy.index = 1;
        store.policy.type = swift::PolicyType::erasure_coding;
        store.policy.k = 1;
        store.policy.m = 1;
        store.disk.clock = &clock;
        write(0);
        store.ring_file =
            std::make_shared<swift::RingFile>(directory.path(), store.policy, log.logger());
        store.ring_file->load(clock.steady()).value();
    }
    /// A ring of 2^`part_power` partitions, with an mtime of its own.
    void write(int part_power) {
        std::string devices, rows;
        for (int id = 0; id < 2; ++id) {
            devices += std::string(id == 0 ? "" : ",") + R"({"id": )" + std::to_string(id) +
                       R"(, "zone": 0, "ip": "10.0.0.1", "port": 6200, "device": "d"})";
            for (int partition = 0; partition < 1 << part_power; ++partition)
                rows += std::string{static_cast<char>(id), '\0'};
        }
        const auto path = directory.write(
            "object-1.ring.gz",
            swift::test::gzip(swift::test::v1_bytes(
                R"({"part_shift": )" + std::to_string(32 - part_power) +
                    R"(, "byteorder": "little", "replica_count": 2, "devs": [)" + devices + "]}",
                rows)));
        std::filesystem::last_write_time(
            path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(++writes));
    }

    fragmend::test::TemporaryDirectory directory;
    fragmend::test::RecordedLog log;
    LeapingClock clock;
    PolicyStore store;
    int writes = 0;
    const std::string upper = "f" + std::string(31, '0');
};

TEST_F(StoreWithRing, LoadsANewRingOnlyWhereItMayBlock) {
    EXPECT_TRUE(store.belongs(upper, "0"));
    write(1);
    EXPECT_TRUE(store.belongs(upper, "0"));
    store.refresh_ring();
    EXPECT_FALSE(store.belongs(upper, "0"));
    EXPECT_TRUE(store.belongs(upper, "1"));
    EXPECT_FALSE(store.belongs(upper, "x"));
}

TEST_F(StoreWithRing, WithoutARingPartitionsAreTakenAtTheirWord) {
    store.ring_file = nullptr;
    store.refresh_ring();
    EXPECT_TRUE(store.belongs(upper, "7"));
}

}  // namespace
}  // namespace fragmend::server
