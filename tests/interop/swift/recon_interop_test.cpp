// Our recon cache beside Swift's functions: the same merges, the same lock, the same reader.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "host/swift/recon_cache.hpp"
#include "tests/interop/python_oracle.hpp"

namespace fragmend::swift {
namespace {

using test::read_json;
using test::read_text;
using test::run_oracle;

constexpr const char* rival = "tests/interop/swift/recon_rival.py";

class ReconBesideSwift : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = std::filesystem::temp_directory_path() / "fragmend-recon-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::string at(const std::string& name) const { return folder_ + "/" + name; }

    std::string folder_;
};

ReconUpdate update_of(const boost::json::value& operation) {
    ReconUpdate update;
    for (const auto& item : operation.at("update").as_array()) {
        const std::string name(item.as_array()[0].as_string());
        const auto& value = item.as_array()[1];
        if (value.is_string()) {
            update.values[name] = std::string(value.as_string());
            continue;
        }
        auto& inner = update.nested[name];
        for (const auto& member : value.as_object())
            inner[std::string(member.key())] = std::string(member.value().as_string());
    }
    return update;
}

TEST_F(ReconBesideSwift, MergesEqualSwiftsByteForByte) {
    const auto seed = test::seed_for_test();
    if (!run_oracle(rival, "random " + at("swift") + " " + at("operations") + " " +
                               std::to_string(seed) + " 400")) {
        GTEST_SKIP() << "no Swift here";
    }
    const auto operations = read_json(at("operations"));
    for (const auto& operation : operations.as_array()) {
        ASSERT_TRUE(update_recon_cache(at("ours"), update_of(operation)));
        ASSERT_EQ(read_text(at("ours")), std::string(operation.at("held").as_string()))
            << boost::json::serialize(operation.at("update"));
    }
}

TEST_F(ReconBesideSwift, NoUpdateIsLostAmongRivals) {
    constexpr int rivals = 3, threads = 2, rounds = 150;
    std::vector<std::FILE*> started;
    for (int i = 0; i < rivals; ++i) {
        const std::string command = std::string("/usr/bin/python3 " FRAGMEND_SOURCE_DIR "/") +
                                    rival + " count " + at("object.recon") + " swift" +
                                    std::to_string(i) + " " + std::to_string(rounds);
        started.push_back(::popen(command.c_str(), "r"));
    }
    std::vector<std::thread> ours;
    std::atomic<int> refused{0};
    for (int i = 0; i < threads; ++i) {
        ours.emplace_back([this, i, &refused] {
            const std::string key = "ours" + std::to_string(i);
            for (int n = 1; n <= rounds; ++n) {
                const auto number = std::to_string(n);
                const ReconUpdate update{{{key, number}},
                                         {{"per_disk", {{key, "{\"n\": " + number + "}"}}}}};
                // The lock has no queue: with so many rivals two seconds may not be enough.
                while (update_recon_cache(at("object.recon"), update).has_error())
                    ++refused;
            }
        });
    }
    for (auto& thread : ours)
        thread.join();
    bool has_swift = true;
    for (std::FILE* one : started) {
        const int status = ::pclose(one);
        has_swift = has_swift && !(WIFEXITED(status) && WEXITSTATUS(status) == 77);
        if (has_swift) {
            EXPECT_EQ(status, 0);
        }
    }
    if (!has_swift) GTEST_SKIP() << "no Swift here";
    const auto held = read_json(at("object.recon"));
    for (int i = 0; i < rivals + threads; ++i) {
        const auto key =
            i < rivals ? "swift" + std::to_string(i) : "ours" + std::to_string(i - rivals);
        EXPECT_EQ(held.at(key).as_int64(), rounds) << key;
        EXPECT_EQ(held.at("per_disk").at(key).at("n").as_int64(), rounds) << key;
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_),
                            std::filesystem::directory_iterator()),
              1)
        << "a temporary file stayed";
    std::cout << "locks refused: " << refused << "\n";
}

TEST_F(ReconBesideSwift, MiddlewareReadsTheScalars) {
    ASSERT_TRUE(update_recon_cache(
        at("object.recon"), {{{"object_reconstruction_time", json_number(0.0029461463292439777)},
                              {"object_reconstruction_last", json_number(1795333613.5451717)}},
                             {}}));
    if (!run_oracle(rival, "middleware " + at("object.recon") + " > " + at("answer")))
        GTEST_SKIP() << "no Swift here";
    EXPECT_EQ(read_text(at("answer")),
              "{\"object_reconstruction_last\": 1795333613.5451717, "
              "\"object_reconstruction_time\": 0.0029461463292439777}\n");
}

}  // namespace
}  // namespace fragmend::swift
