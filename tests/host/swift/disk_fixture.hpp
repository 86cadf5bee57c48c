// What tests of disks share: a scratch folder with xattrs, a clock that stands still, caught log
// lines.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "host/swift/disk_context.hpp"

namespace fragmend::swift::testing {

namespace fs = std::filesystem;

/// A folder of its own, removed at the end; in memory where possible, because tests sync a lot.
class ScratchFolder {
  public:
    ScratchFolder() {
        const char* chosen = std::getenv("FRAGMEND_TEST_TMP");
        std::string root = chosen != nullptr ? chosen : "/dev/shm";
        if (::access(root.c_str(), W_OK) != 0) root = fs::temp_directory_path().string();
        std::string pattern = root + "/fragmend-test-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
    }
    ~ScratchFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  private:
    std::string path_;
};

class StillClock final : public Clock {
  public:
    explicit StillClock(Timestamp time) : time_(time) {}
    Timestamp now() const override { return time_; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::now();
    }
    void set(Timestamp time) { time_ = time; }

  private:
    Timestamp time_;
};

class CaughtLines final : public LogSink {
  public:
    void write(LogLevel level, std::string_view message) override {
        const std::lock_guard hold(mutex_);
        lines_.push_back(std::string(to_string(level)) + " " + std::string(message));
    }
    std::vector<std::string> lines() const {
        const std::lock_guard hold(mutex_);
        return lines_;
    }
    bool contains(std::string_view part) const {
        for (const auto& line : lines()) {
            if (line.find(part) != std::string::npos) return true;
        }
        return false;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

/// False where no real Swift is installed: interop tests skip.
inline bool swift_is_installed() {
    return std::system("/usr/bin/python3 -c 'import swift.obj.diskfile' 2>/dev/null") == 0;
}

inline std::uint64_t seed_from_environment(std::uint64_t otherwise) {
    const char* text = std::getenv("FRAGMEND_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline void write_file(const std::string& path, std::string_view bytes = {}) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// Time zero of the tests, and a device `d1` with policy 1 of 4 + 2 fragments.
inline Timestamp test_now() {
    return Timestamp::parse("1795333043.50000").value();
}

struct DiskFixture : ::testing::Test {
    ScratchFolder scratch;
    StillClock clock{test_now()};
    CaughtLines lines;
    std::atomic<std::uint64_t> quarantines{0};
    DiskContext context = make_context();

    DiskContext make_context() {
        DiskContext made;
        made.devices_root = scratch.path();
        made.mount_check = false;
        made.hash_path_prefix = "pre";
        made.hash_path_suffix = "suf";
        made.data_dir_name = "objects-1";
        made.fragment_count = 6;
        made.logger = Logger(&lines, LogLevel::debug);
        made.clock = &clock;
        made.quarantine_count = &quarantines;
        return made;
    }
    void SetUp() override { fs::create_directories(partition_path()); }
    std::string partition_path() const { return scratch / "d1/objects-1/7"; }
    /// Makes the file or directory one that changed `age_s` before the test's now.
    static void set_modified(const std::string& path, double age_s) {
        const auto at = test_now().raw * 10000 - static_cast<std::int64_t>(age_s * 1e9);
        const timespec time{at / 1'000'000'000, at % 1'000'000'000};
        const timespec times[2] = {time, time};
        ASSERT_EQ(0, ::utimensat(AT_FDCWD, path.c_str(), times, 0)) << path;
    }
    /// The clock says so much more than the machine's does: birth times are the machine's.
    void be_later(double seconds) {
        using Units = std::chrono::duration<std::int64_t, std::ratio<1, 100'000>>;
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        clock.set({std::chrono::duration_cast<Units>(now).count() +
                       static_cast<std::int64_t>(seconds * 100'000),
                   0});
    }
    bool knows_birth_times() const {
        struct statx status {};
        return ::statx(AT_FDCWD, scratch.path().c_str(), 0, STATX_BTIME, &status) == 0 &&
               (status.stx_mask & STATX_BTIME) != 0;
    }
    /// `seconds` before the test's now, in file name form.
    static Timestamp ago(std::int64_t seconds) { return {test_now().raw - seconds * 100000, 0}; }
};

}  // namespace fragmend::swift::testing
