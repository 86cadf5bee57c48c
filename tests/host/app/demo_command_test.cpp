// Whole rebuilds in a cluster inside this process; and that the comparison would tell if they
// failed.
#include "host/app/demo_command.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <sstream>

#include "host/app/embedded_run.hpp"
#include "host/app/rebuild_bench.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using swift::testing::ScratchFolder;

/// One run of the program's command, small, with JSON.
class DemoCommand : public ::testing::Test {
  protected:
    int run(std::vector<std::string> more, const BeforeComparison& before_comparison = {}) {
        std::vector<std::string> words{"--dir", place_.path(), "--json", "--objects",
                                       "40",    "--progress",  "never"};
        words.insert(words.end(), more.begin(), more.end());
        const std::vector<std::string_view> views(words.begin(), words.end());
        std::ostringstream out, err;
        const int code = run_demo_command(views, SystemClock(), out, err, before_comparison);
        said_ = err.str();
        result_ = out.str().empty() ? json::object() : json::parse(out.str()).as_object();
        return code;
    }

    std::string verdict() const {
        return result_.empty() ? said_ : std::string(result_.at("verdict").as_string());
    }
    std::int64_t compared(const char* what) const {
        return result_.at("comparison").at(what).to_number<std::int64_t>();
    }
    std::string differences() const { return json::serialize(result_.at("comparison")); }

    /// Some archive on the first wiped device.
    static std::string an_archive(const demo::Cluster& cluster) {
        for (const auto& entry : fs::recursive_directory_iterator(cluster.device_path("d3"))) {
            if (entry.path().extension() == ".data" && entry.file_size() > 0)
                return entry.path().string();
        }
        return {};
    }

    ScratchFolder place_;
    std::string said_;
    json::object result_;
};

TEST_F(DemoCommand, BringsBackALostDeviceByteForByte) {
    EXPECT_EQ(run({"--bytes", "0-300K"}), 0) << verdict();
    EXPECT_EQ(verdict(), "as_it_was");
    EXPECT_GT(compared("files"), 20);
    EXPECT_EQ(compared("equal"), compared("files"));
    EXPECT_GT(compared("files_elsewhere"), 150);
    EXPECT_EQ(compared("changed_elsewhere"), 0);
    EXPECT_EQ(result_.at("rebuild").at("fragments"), result_.at("fragments_lost"));
    EXPECT_EQ(result_.at("rebuild").at("bytes"), result_.at("bytes_lost"));
    EXPECT_GT(result_.at("fragments_lost").to_number<int>(), 20);
    EXPECT_TRUE(fs::is_empty(place_.path()));
}

TEST_F(DemoCommand, BringsBackAsManyDevicesAsThereAreParities) {
    EXPECT_EQ(run({"--policy", "10+4", "--wipe", "4", "--ec-type", "liberasurecode_rs_vand",
                   "--bytes", "0,17,1100K", "--no-fsync", "--delay", "1"}),
              0)
        << verdict();
    EXPECT_EQ(result_.at("wiped").as_array().size(), 4u);
    // Every device holds one fragment of everything that was not deleted since.
    EXPECT_EQ(result_.at("fragments_lost"), 4 * 38);
    EXPECT_EQ(compared("equal"), compared("files"));
}

TEST_F(DemoCommand, TellsWhenOneByteIsWrong) {
    const auto spoil = [](const demo::Cluster& cluster) {
        std::fstream file(an_archive(cluster), std::ios::in | std::ios::out);
        const int last = file.seekg(-1, std::ios::end).get();
        file.seekp(-1, std::ios::end).put(static_cast<char>(last ^ 1));
    };
    EXPECT_EQ(run({"--bytes", "1-100K"}, spoil), 1);
    EXPECT_EQ(verdict(), "different");
    EXPECT_EQ(compared("different"), 1);
    EXPECT_EQ(compared("equal"), compared("files") - 1);
    EXPECT_NE(differences().find("it differs at byte"), std::string::npos) << differences();
}

TEST_F(DemoCommand, TellsWhenMetadataAreGoneOrAFileElsewhereWasTouched) {
    const auto spoil = [](const demo::Cluster& cluster) {
        EXPECT_EQ(::removexattr(an_archive(cluster).c_str(), "user.swift.metadata"), 0);
        for (const auto& entry : fs::recursive_directory_iterator(cluster.device_path("d1"))) {
            if (entry.path().extension() != ".data") continue;
            fs::last_write_time(entry.path(), fs::file_time_type::clock::now());
            break;
        }
    };
    EXPECT_EQ(run({"--bytes", "1-100K"}, spoil), 1);
    EXPECT_EQ(verdict(), "different");
    EXPECT_EQ(compared("different"), 1);
    EXPECT_EQ(compared("changed_elsewhere"), 1);
    EXPECT_NE(differences().find("metadata cannot be read"), std::string::npos) << differences();
    EXPECT_NE(differences().find("d1/"), std::string::npos) << differences();
}

TEST_F(DemoCommand, TellsWhenSomethingIsStillMissing) {
    const auto lose = [](const demo::Cluster& cluster) { fs::remove(an_archive(cluster)); };
    EXPECT_EQ(run({"--bytes", "1-100K"}, lose), 3);
    EXPECT_EQ(verdict(), "incomplete");
    EXPECT_EQ(compared("missing"), 1);
}

TEST_F(DemoCommand, SaysWhichFolderIsKeptAndWhatGpusDid) {
    EXPECT_EQ(run({"--bytes", "1K", "--keep", "--backend", "cpu"}), 0) << verdict();
    EXPECT_TRUE(fs::is_directory(std::string(result_.at("folder").as_string())));
    EXPECT_EQ(result_.at("decoder"), "CPU");
    EXPECT_TRUE(result_.at("gpus").as_array().empty());
}

TEST_F(DemoCommand, SaysWhichFolderIsKeptOfARunThatFailed) {
    const auto break_it = [](const demo::Cluster& cluster) {
        fs::remove_all(cluster.lost_path("d3"));
        std::ofstream(cluster.lost_path("d3")) << "no folder";
    };
    EXPECT_EQ(run({"--bytes", "1K", "--keep"}, break_it), 1);
    const auto kept = fs::directory_iterator(place_.path())->path().string();
    EXPECT_NE(said_.find("fragmend: " + kept + " is kept\n"), std::string::npos) << said_;
}

TEST_F(DemoCommand, SaysWhatItCannotDo) {
    EXPECT_EQ(run({"--ec-type", "isa_l_rs_moebius"}), 2);
    EXPECT_NE(said_.find("isa_l_rs_moebius"), std::string::npos) << said_;
    EXPECT_EQ(run({"--dir", place_ / "nowhere"}), 2);
    EXPECT_NE(said_.find("nowhere: No such file"), std::string::npos) << said_;
    EXPECT_EQ(run({"--wipe", "9"}), 2);
}

/// Flips one byte in the middle of every archive below `folder`.
std::size_t damage_archives(const std::string& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".data") continue;
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        const auto middle = static_cast<std::streamoff>(entry.file_size() / 2);
        file.seekg(middle);
        const char flipped = static_cast<char>(file.get() ^ 1);
        file.seekp(middle);
        file.put(flipped);
        ++count;
    }
    return count;
}

/// Names of what was moved away on a device.
std::set<std::string> quarantined_on(const std::string& device) {
    std::set<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(device + "/quarantined/objects", none))
        names.insert(entry.path().filename());
    return names;
}

/// Readers of survivors hash them, so their servers do not; whoever sent damage still learns of it.
TEST(EmbeddedRun, ARottenSurvivorIsReplacedAndEndsInItsOwnersQuarantine) {
    for (const char* bytes : {"16K", "5M"}) {
        ScratchFolder place;
        const std::vector<std::string_view> words{
            "rebuild",   "--dir", place.path(),   "--objects", "10",         "--bytes", bytes,
            "--backend", "cpu",   "--part-power", "3",         "--progress", "never"};
        const auto line = parse_bench_line(words);
        ASSERT_TRUE(line.has_value());
        const SystemClock clock;
        const std::atomic<bool> stop = false;
        auto run = EmbeddedRun::make(*line, clock, stop).value();
        ASSERT_TRUE(run->fill().has_value());
        ASSERT_TRUE(run->settle().has_value());
        const std::string rotten = run->cluster().device_path("d5");
        ASSERT_NE(run->wiped().front(), "d5");
        ASSERT_GT(damage_archives(rotten + "/objects"), 0u);
        ASSERT_TRUE(run->wipe().has_value());
        const RebuildRun rebuilt = run->rebuild();
        const auto found = run->compare();
        ASSERT_TRUE(found.has_value());
        EXPECT_TRUE(found->lost.differences.empty()) << found->lost.differences.front();
        std::set<std::string> damaged;
        for (const PassRun& pass : rebuilt.passes) {
            for (const auto& survivor : pass.stats.bad_survivors) {
                if (survivor.name.find("d5") != std::string::npos) damaged.insert(survivor.object);
            }
        }
        EXPECT_GT(damaged.size(), 0u);
        EXPECT_EQ(quarantined_on(rotten).size(), damaged.size()) << bytes;
    }
}

TEST(BenchCommand, MeasuresRoundsAndLeavesThemAsJson) {
    ScratchFolder place;
    const std::string file = place / "result.json";
    const std::string dir = place / "disk";
    fs::create_directories(dir);
    const std::vector<std::string_view> words{
        "rebuild", "--rounds",  "2",   "--objects",  "30",   "--bytes",
        "1K",      "--out",     file,  "--dir",      dir,    "--part-power",
        "3",       "--backend", "cpu", "--progress", "never"};
    std::ostringstream out, err;
    EXPECT_EQ(run_bench_command(words, SystemClock(), out, err), 0) << err.str();
    EXPECT_NE(out.str().find("that only writes and syncs the same files"), std::string::npos)
        << out.str();
    EXPECT_TRUE(fs::is_empty(dir));
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    const auto result = json::parse(text.str());
    EXPECT_EQ(result.at("rounds").as_array().size(), 2u);
    for (const auto& round : result.at("rounds").as_array()) {
        EXPECT_EQ(round.at("verdict"), "as_it_was");
        EXPECT_GT(round.at("fragments").to_number<int>(), 10);
        EXPECT_GT(round.at("plain_one_thread_s").as_double(), 0);
        EXPECT_GT(round.at("times_plain").as_double(), 0);
    }
    EXPECT_GT(result.at("machine").at("cores").to_number<int>(), 0);
    EXPECT_EQ(text.str().find(place.path()), std::string::npos);
}

TEST(BenchCommand, NamesTheFolderThatIsKept) {
    ScratchFolder place;
    const std::vector<std::string_view> words{
        "rebuild", "--rounds",   "1",          "--objects",    "10",    "--bytes",
        "1K",      "--dir",      place.path(), "--part-power", "3",     "--backend",
        "cpu",     "--progress", "never",      "--json",       "--keep"};
    std::ostringstream out, err;
    EXPECT_EQ(run_bench_command(words, SystemClock(), out, err), 0) << err.str();
    const auto result = json::parse(out.str());
    EXPECT_TRUE(fs::is_directory(std::string(result.at("folder").as_string())));
    EXPECT_EQ(result.at("parameters").at("decoder"), "CPU");
    EXPECT_TRUE(result.at("gpus").as_array().empty());
}

TEST(BenchCommand, RefusesAFolderForItsResultAtOnce) {
    ScratchFolder place;
    const std::vector<std::string_view> words{"rebuild", "--out", place.path()};
    std::ostringstream out, err;
    EXPECT_EQ(run_bench_command(words, SystemClock(), out, err), 2);
    EXPECT_NE(err.str().find(std::string(place.path()) + ": Is a directory"), std::string::npos)
        << err.str();
    EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace fragmend::app
