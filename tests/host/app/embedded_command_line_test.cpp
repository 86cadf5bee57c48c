// Words of `fragmend demo` and `fragmend bench rebuild`.
#include "host/app/embedded_command_line.hpp"

#include <gtest/gtest.h>

namespace fragmend::app {
namespace {

using Words = std::vector<std::string_view>;

std::string refused(const Words& words) {
    const auto line = parse_demo_line(words);
    if (line) return "taken";
    EXPECT_EQ(line.error().exit_code, static_cast<int>(ExitCode::usage));
    return line.error().message;
}

TEST(DemoLine, NeedsNothing) {
    const auto line = parse_demo_line({});
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->k, 4);
    EXPECT_EQ(line->m, 2);
    EXPECT_EQ(line->devices, 8);
    EXPECT_EQ(line->objects, 400u);
    EXPECT_EQ(line->sizes, (std::vector<demo::SizeRange>{{0, 4 << 20}}));
    EXPECT_EQ(line->wipe, 1);
    EXPECT_TRUE(line->fsync);
    EXPECT_EQ(line->command, "fragmend demo");
}

TEST(DemoLine, TakesAClusterOfAnyPolicy) {
    const Words words{"--policy",    "10+4",    "--ec-type=liberasurecode_rs_vand",
                      "--wipe",      "4",       "--bytes",
                      "0,16K,1M-8M", "--delay", "0.25",
                      "--backend",   "cpu",     "--no-fsync",
                      "--keep"};
    const auto line = parse_demo_line(words);
    ASSERT_TRUE(line.has_value()) << line.error().message;
    EXPECT_EQ(line->ec_type, "liberasurecode_rs_vand");
    EXPECT_EQ(line->devices, 14);
    EXPECT_EQ(line->wipe, 4);
    EXPECT_EQ(line->sizes,
              (std::vector<demo::SizeRange>{{0, 0}, {16384, 16384}, {1 << 20, 8 << 20}}));
    EXPECT_EQ(line->delay, std::chrono::microseconds(250));
    EXPECT_EQ(line->backend, Backend::cpu);
    EXPECT_FALSE(line->fsync);
    EXPECT_TRUE(line->keep);
}

TEST(DemoLine, RefusesWhatCannotWorkWithTheReason) {
    EXPECT_NE(refused({"--devices", "5"}).find("4+2 policy needs 6 devices"), std::string::npos);
    EXPECT_NE(refused({"--wipe", "3"}).find("survives the loss of 2 devices"), std::string::npos);
    EXPECT_NE(refused({"--policy", "4"}).find("--policy is K+M"), std::string::npos);
    EXPECT_NE(refused({"--bytes", "4M-1M"}).find("--bytes is"), std::string::npos);
    EXPECT_NE(refused({"--bytes", "1,,2"}).find("--bytes is"), std::string::npos);
    EXPECT_NE(refused({"--bytes", "6G"}).find("up to 5G"), std::string::npos);
    EXPECT_NE(refused({"--objects", "0"}).find("--objects is a number"), std::string::npos);
    EXPECT_NE(refused({"--delay", "nan"}).find("milliseconds"), std::string::npos);
    EXPECT_NE(refused({"--backend", "tpu"}).find("--backend is"), std::string::npos);
    EXPECT_NE(refused({"--dir"}).find("--dir needs a value"), std::string::npos);
    EXPECT_NE(refused({"--rounds", "3"}).find("no option '--rounds'"), std::string::npos);
    EXPECT_NE(refused({"d3"}).find("unexpected word 'd3'"), std::string::npos);
    EXPECT_NE(refused({"--polcy=4+2"}).find("fragmend demo --help"), std::string::npos);
}

TEST(BenchLine, MeasuresRebuildsOnly) {
    const Words words{"rebuild",         "--rounds", "5", "--out", "/some/where/result.json",
                      "--dir=/some/disk"};
    const auto line = parse_bench_line(words);
    ASSERT_TRUE(line.has_value()) << line.error().message;
    EXPECT_EQ(line->rounds, 5);
    EXPECT_EQ(line->out, "/some/where/result.json");
    EXPECT_EQ(line->objects, 2000u);
    // Nobody else has these folders.
    EXPECT_EQ(line->command, "fragmend bench rebuild --rounds 5 --out result.json --dir=disk");
    EXPECT_FALSE(parse_bench_line({}).has_value());
    EXPECT_FALSE(parse_bench_line(Words{"codec"}).has_value());
    EXPECT_TRUE(parse_bench_line(Words{"--help"})->wants_help);
}

TEST(EmbeddedHelp, FitsATerminalAndNamesEveryOption) {
    for (const bool is_bench : {false, true}) {
        const std::string text = embedded_help_text(is_bench);
        for (std::size_t begin = 0; begin < text.size();) {
            const auto end = text.find('\n', begin);
            EXPECT_LE(end - begin, 100u) << text.substr(begin, end - begin);
            begin = end + 1;
        }
        for (const char* option : {"--policy", "--ec-type", "--devices", "--bytes", "--wipe",
                                   "--backend", "--json", "--delay", "--dir", "--keep", "--seed"})
            EXPECT_NE(text.find(option), std::string::npos) << option;
        EXPECT_EQ(text.find("--rounds") != std::string::npos, is_bench);
    }
}

}  // namespace
}  // namespace fragmend::app
