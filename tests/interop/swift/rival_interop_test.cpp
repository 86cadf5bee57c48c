// Our get_hashes beside Swift's own processes on one partition: no invalidation may get lost.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include "host/swift/partition_hashes.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

using SwiftRivals = testing::DiskFixture;

std::string text_of(const PartitionHashes& hashes) {
    std::string text;
    for (const auto& [suffix, hash] : hashes) {
        if (!text.empty()) text += " ";
        std::string keys;
        for (const auto& [index, digest] : hash) {
            if (!keys.empty()) keys += ",";
            keys += (index ? std::to_string(*index) : "None") + ":" + std::string(digest);
        }
        text += suffix + "{" + keys + "}";
    }
    return text;
}

std::FILE* start_rival(const std::string& arguments) {
    return ::popen(
        ("/usr/bin/python3 " FRAGMEND_SOURCE_DIR "/tests/interop/swift/rival.py " + arguments)
            .c_str(),
        "r");
}

std::string read_line(std::FILE* stream) {
    char* buffer = nullptr;
    std::size_t capacity = 0;
    const ssize_t length = ::getline(&buffer, &capacity, stream);
    std::string line(buffer, length > 0 ? static_cast<std::size_t>(length) - 1 : 0);
    std::free(buffer);
    return line;
}

/// Hashes in a loop, with and without listing, until told to stop.
struct Hasher {
    const DiskContext& context;
    std::uint64_t seed;
    std::atomic<bool>& stop;
    std::atomic<std::size_t>& calls;
    std::atomic<std::size_t>& failures;

    void operator()() const {
        std::mt19937_64 random(seed);
        while (!stop) {
            HashRequest request;
            request.list_directory = random() % 3 == 0;
            if (random() % 3 == 0) request.recalculate = {"000", "333"};
            const auto result = get_hashes(context, "d1", "7", request);
            ++calls;
            if (!result || !result->failed.empty()) ++failures;
        }
    }
};

/// FRAGMEND_RIVAL_ROUNDS rounds of 100 changes each, FRAGMEND_SEED for other ones.
TEST_F(SwiftRivals, LoseNoInvalidation) {
    if (!testing::swift_is_installed()) GTEST_SKIP() << "no Swift here";
    constexpr int operations_per_round = 100;
    const char* chosen = std::getenv("FRAGMEND_RIVAL_ROUNDS");
    const int rounds = chosen != nullptr ? std::atoi(chosen) : 3;
    const auto seed = testing::seed_from_environment(7);
    const std::string answers = scratch / "answers";
    ASSERT_EQ(::mkfifo(answers.c_str(), 0600), 0);
    const SystemClock system_clock;
    context.clock = &system_clock;
    context.logger = Logger(nullptr, LogLevel::critical);

    std::FILE* writer = start_rival("write " + scratch.path() + " " + std::to_string(seed) + " " +
                                    std::to_string(rounds) + " " +
                                    std::to_string(operations_per_round) + " " + answers);
    std::FILE* other_hasher =
        start_rival("hash " + scratch.path() + " " + std::to_string(seed + 1));
    ASSERT_TRUE(writer != nullptr && other_hasher != nullptr);
    std::ofstream answer(answers);
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> calls{0};
    std::atomic<std::size_t> failures{0};
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 2; ++i) {
        threads.emplace_back(Hasher{context, seed + 10 + i, stop, calls, failures});
    }
    int rounds_seen = 0;
    std::string last;
    for (;;) {
        last = read_line(writer);
        if (!last.starts_with("round ")) break;
        ++rounds_seen;
        const auto ours = get_hashes(context, "d1", "7", {});
        EXPECT_TRUE(ours) << to_string(ours.error());
        EXPECT_EQ(ours ? text_of(ours->hashes) : "", last.substr(6));
        answer << "go" << std::endl;
    }
    stop = true;
    for (auto& thread : threads)
        thread.join();
    testing::write_file(scratch / "stop");
    const std::string hashed = read_line(other_hasher);
    EXPECT_EQ(::pclose(writer), 0);
    EXPECT_EQ(::pclose(other_hasher), 0);
    EXPECT_EQ(rounds_seen, rounds);
    EXPECT_TRUE(last.starts_with("done")) << last;
    EXPECT_EQ(failures, 0u);
    std::cout << "seed " << seed << ": ours " << calls << " calls, Swift " << last << ", " << hashed
              << "\n";
}

}  // namespace
}  // namespace fragmend::swift
