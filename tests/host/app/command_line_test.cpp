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

TEST(CommandLine, AsksRunningProcesses) {
    const auto line = parse({"fragmend", "status", "/etc/o.conf", "--json", "/etc/p.conf"});
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->subcommand, Subcommand::control);
    EXPECT_EQ(line->request.operation, ControlOperation::status);
    EXPECT_TRUE(line->json);
    EXPECT_EQ(line->conf_paths, (std::vector<std::string>{"/etc/o.conf", "/etc/p.conf"}));
    EXPECT_EQ(parse({"fragmend", "pause"})->request.operation, ControlOperation::pause);
    EXPECT_TRUE(parse({"fragmend", "resume", "--now"}).has_error());
}

TEST(CommandLine, WhatAsksRunningProcessesHasHelpToo) {
    for (const char* command : {"status", "pause", "resume", "cancel", "drain", "limit"}) {
        for (const char* help : {"-h", "--help"}) {
            const auto line = parse({"fragmend", command, help});
            ASSERT_TRUE(line.has_value()) << command << ' ' << help;
            EXPECT_EQ(line->subcommand, Subcommand::help);
            EXPECT_NE(help_text(*line).find(command), std::string::npos);
        }
    }
}

TEST(CommandLine, LimitTakesOptionsAndConfigurations) {
    const auto line = parse({"fragmend", "limit", "read_limit=50M", "fragmend_profile=polite",
                             "/etc/a=b.conf", "--configured"});
    ASSERT_TRUE(line);
    EXPECT_EQ(line->request.operation, ControlOperation::limit);
    EXPECT_TRUE(line->request.configured);
    EXPECT_EQ(line->request.limits,
              (std::map<std::string, std::string>{{"profile", "polite"}, {"read_limit", "50M"}}));
    EXPECT_EQ(line->conf_paths, std::vector<std::string>{"/etc/a=b.conf"});
    EXPECT_FALSE(parse({"fragmend", "limit", "read_limit=1K"}));
    EXPECT_FALSE(parse({"fragmend", "limit", "reed_limit=50M"}));
    EXPECT_FALSE(parse({"fragmend", "status", "--configured"}));
}

TEST(CommandLine, CancelTakesAPartOfAPass) {
    const auto line = parse({"fragmend", "cancel", "--device", "d1", "--partition", "7", "a.conf"});
    ASSERT_TRUE(line);
    EXPECT_EQ(line->request.choice, (WorkChoice{"d1", "7", ""}));
    EXPECT_EQ(line->conf_paths, std::vector<std::string>{"a.conf"});
    EXPECT_EQ(parse({"fragmend", "cancel", "--object", "/a/c/o"})->request.choice.object, "/a/c/o");
    EXPECT_FALSE(parse({"fragmend", "cancel", "--object", "o"}));
    EXPECT_FALSE(parse({"fragmend", "cancel", "--object", "/a/c/o", "--device", "d1"}));
    EXPECT_FALSE(parse({"fragmend", "cancel", "--partition", "x"}));
    EXPECT_FALSE(parse({"fragmend", "cancel", "--device"}));
    EXPECT_FALSE(parse({"fragmend", "status", "--device", "d1"}));
    for (const char* command : {"pause", "resume", "drain"})
        EXPECT_EQ(parse({"fragmend", command, "--device", "d1"})->request.choice.device, "d1");
    EXPECT_EQ(parse({"fragmend", "pause", "--object", "/a/c/o"})->request.choice.object, "/a/c/o");
    EXPECT_FALSE(parse({"fragmend", "drain", "--object", "/a/c/o"}));
}

TEST(CommandLine, HelpOfWhatDoesNotExistIsRefused) {
    for (const char* topic :
         {"server", "codec", "demo", "bench", "status", "limit", "info", "help"})
        EXPECT_TRUE(parse({"fragmend", "help", topic}).has_value()) << topic;
    EXPECT_FALSE(parse({"fragmend", "help", "nonsense"}).has_value());
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
