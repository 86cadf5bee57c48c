// The command line of the program and of its drop-in name.
#include "host/app/command_line.hpp"

#include <gtest/gtest.h>

namespace fragmend::app {
namespace {

boost::system::result<CommandLine, UsageError> parse(std::vector<std::string_view> words) {
    return parse_command_line(words);
}

TEST(CommandLine, ReadsTheReconstructorsOptions) {
    const auto line = parse({"fragmend", "reconstructor", "/etc/o.conf", "--once", "-v", "-d",
                             "sda, sdb", "--partitions=1,22", "--json"});
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->subcommand, Subcommand::reconstructor);
    EXPECT_EQ(line->conf_path, "/etc/o.conf");
    EXPECT_TRUE(line->once && line->verbose && line->json && !line->drop_in);
    EXPECT_EQ(line->devices, (std::vector<std::string>{"sda", "sdb"}));
    EXPECT_EQ(line->partitions, (std::vector<std::uint64_t>{1, 22}));
}

TEST(CommandLine, DropInNameTakesBareWordsAndIgnoresOthers) {
    const auto line =
        parse({"/usr/bin/swift-object-reconstructor", "o.conf", "once", "verbose", "else"});
    ASSERT_TRUE(line.has_value());
    EXPECT_TRUE(line->drop_in && line->once && line->verbose);
}

TEST(CommandLine, DropInNameTakesOverridesWithoutOnceAsSwiftDoes) {
    const auto line = parse({"swift-object-reconstructor", "o.conf", "-d", "sda", "-p", "3"});
    ASSERT_TRUE(line.has_value());
    EXPECT_FALSE(line->once);
}

TEST(CommandLine, DropInNameMissesItsPathAsSwiftDoes) {
    const auto line = parse({"swift-object-reconstructor"});
    ASSERT_TRUE(line.has_error());
    EXPECT_EQ(line.error().exit_code, 1);
    EXPECT_TRUE(line.error().to_stdout);
    EXPECT_NE(line.error().message.find("Error: missing config path argument"), std::string::npos);
}

TEST(CommandLine, NamesWhatItDoesNotKnow) {
    for (auto words : std::vector<std::vector<std::string_view>>{
             {"fragmend"},
             {"fragmend", "frob"},
             {"fragmend", "reconstructor"},
             {"fragmend", "reconstructor", "c", "--frob"},
             {"fragmend", "reconstructor", "c", "word"},
             {"fragmend", "reconstructor", "c", "-p", "x1"},
             {"fragmend", "reconstructor", "c", "-d"},
             {"fragmend", "reconstructor", "c", "--once=yes"},
             {"fragmend", "reconstructor", "c", "--json"},
             {"fragmend", "reconstructor", "c", "-d", "sda"},
             {"fragmend", "reconstructor", "c", "-p", "1"},
             {"fragmend", "reconstructor", "c", "--progress", "often"}}) {
        const auto line = parse(words);
        ASSERT_TRUE(line.has_error()) << words.back();
        EXPECT_EQ(line.error().exit_code, 2);
        EXPECT_FALSE(line.error().message.empty());
    }
}

TEST(CommandLine, HelpNamesEveryOption) {
    const auto line = parse({"fragmend", "help", "reconstructor"});
    ASSERT_TRUE(line.has_value());
    const auto text = help_text(*line);
    for (const char* option : {"--once", "--devices", "--partitions", "--verbose", "--json",
                               "--progress", "--swift-conf", "--check"}) {
        EXPECT_NE(text.find(option), std::string::npos) << option;
    }
}

}  // namespace
}  // namespace fragmend::app
