// Results that are there as a whole or not at all, and what cannot hold one.
#include "host/app/result_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <sstream>

#include "tests/support/temporary_directory.hpp"

namespace fragmend::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::size_t names_in(const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(ResultFile, TakesTheNameWhenItIsWhole) {
    test::TemporaryDirectory folder;
    const ResultFile file(folder.file("out.json"));
    ASSERT_TRUE(file.try_it());
    EXPECT_EQ(names_in(folder.path()), 0u);
    ASSERT_TRUE(file.write("one"));
    ASSERT_TRUE(file.try_it());
    EXPECT_EQ(text_of(folder.file("out.json")), "one");
    ASSERT_TRUE(file.write("two"));
    EXPECT_EQ(text_of(folder.file("out.json")), "two");
    EXPECT_EQ(names_in(folder.path()), 1u);
}

TEST(ResultFile, ALinkStaysOne) {
    test::TemporaryDirectory folder;
    folder.write("target.json", "old");
    fs::create_symlink("target.json", folder.file("out.json"));
    const ResultFile file(folder.file("out.json"));
    for (const char* text : {"one", "two"}) {
        ASSERT_TRUE(file.try_it());
        ASSERT_TRUE(file.write(text));
        EXPECT_TRUE(fs::is_symlink(folder.file("out.json")));
        EXPECT_EQ(text_of(folder.file("target.json")), text);
    }
}

TEST(ResultFile, WhatIsNoRegularFileIsWrittenTo) {
    const ResultFile file("/dev/null");
    EXPECT_TRUE(file.try_it());
    EXPECT_TRUE(file.write("text"));
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(ResultFile, SaysWhatCannotHoldIt) {
    test::TemporaryDirectory folder;
    const auto refused = ResultFile(folder.path()).try_it();
    ASSERT_TRUE(refused.has_error());
    EXPECT_THAT(refused.error().detail, HasSubstr(folder.path()));
    EXPECT_THAT(refused.error().detail, HasSubstr("Is a directory"));
    const auto missing = ResultFile(folder.file("none/out.json")).try_it();
    ASSERT_TRUE(missing.has_error());
    EXPECT_THAT(missing.error().detail, HasSubstr("No such file or directory"));
    EXPECT_TRUE(ResultFile(folder.file("none/out.json")).write("text").has_error());
}

TEST(ResultFile, AWriteThatFailsLeavesTheOldOne) {
    test::TemporaryDirectory folder;
    const ResultFile file(folder.file("out.json"));
    ASSERT_TRUE(file.write("old"));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = file.write(std::string(5000, 'x'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    ASSERT_TRUE(written.has_error());
    EXPECT_THAT(written.error().detail, HasSubstr("File too large"));
    EXPECT_EQ(text_of(folder.file("out.json")), "old");
    EXPECT_EQ(names_in(folder.path()), 1u);
}

}  // namespace
}  // namespace fragmend::app
