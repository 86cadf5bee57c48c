// Configuration files as Python's ConfigParser reads them.
#include "host/swift/ini_file.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "host/swift/python_text.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::swift {
namespace {

Result<IniFile> parse(std::string_view text, Duplicates duplicates = Duplicates::refused) {
    IniFile file(TextEncoding::utf8, duplicates);
    const auto added = file.add(text, "test.conf");
    if (!added) return added.error();
    return file;
}

std::string value_of(std::string_view text, std::string_view option,
                     Interpolation interpolation = Interpolation::relaxed) {
    const auto file = parse(text);
    if (!file) return to_string(file.error());
    const auto value = file->get("s", option, interpolation);
    if (!value) return to_string(value.error());
    return value->has_value() ? (*value)->text : "(absent)";
}

TEST(IniFile, ReadsBothDelimitersAndKeepsTheRest) {
    EXPECT_EQ(value_of("[s]\nconcurrency = 4 ; x\n", "concurrency"), "4 ; x");
    EXPECT_EQ(value_of("[s]\na: b = c\n", "a"), "b = c");
    EXPECT_EQ(value_of("[s]\nName = \"quoted\"\n", "name"), "\"quoted\"");
    EXPECT_EQ(value_of("[s]\nempty =\nnext = 1\n", "empty"), "");
    EXPECT_EQ(value_of("[s]\r\na = 1\r\n", "a"), "1");
}

TEST(IniFile, WhiteSpaceContinuesAValueAcrossBlankLinesAndComments) {
    EXPECT_EQ(value_of("[s]\na = 1\n  2\n# no\n\n\t3\n\nb = 4\n", "a"), "1\n2\n\n3");
    EXPECT_EQ(value_of("[s]\n  a = 1\n  b = 2\n", "b"), "2");
    EXPECT_EQ(value_of("[s]\n  a = 1\n   b = 2\n", "a"), "1\nb = 2");
}

TEST(IniFile, DefaultsAppearInEverySection) {
    EXPECT_EQ(value_of("[DEFAULT]\na = 1\nb = 1\n[s]\nb = 2\n", "a"), "1");
    EXPECT_EQ(value_of("[DEFAULT]\na = 1\nb = 1\n[s]\nb = 2\n", "b"), "2");
    EXPECT_EQ(value_of("[DEFAULT]\na = 1\n[t]\n", "a"), "(absent)");
    EXPECT_EQ(value_of("[DEFAULT]\na = 1\n[s]\n[DEFAULT]\nb = 2\n", "b"), "2");
}

TEST(IniFile, RelaxedInterpolationLeavesLonePercentAlone) {
    EXPECT_EQ(value_of("[s]\na = 1%\n", "a"), "1%");
    EXPECT_EQ(value_of("[s]\na = 1%%\n", "a"), "1%%");
    EXPECT_EQ(value_of("[s]\nb = x\na = %(B)s%%\n", "a"), "x%");
    EXPECT_EQ(value_of("[s]\nb = x\na = %(b)s 1%\n", "a"),
              "bad_config: test.conf: [s] a = %(b)s 1%: '%' must be followed by '%' or by a "
              "reference '(name)s'");
}

TEST(IniFile, StandardInterpolationRefusesLonePercent) {
    EXPECT_EQ(value_of("[s]\na = 1%%\n", "a", Interpolation::standard), "1%");
    EXPECT_EQ(value_of("[s]\na = %(c)s\n", "a", Interpolation::standard),
              "bad_config: test.conf: [s] a = %(c)s: there is no option 'c'");
    EXPECT_EQ(value_of("[s]\na = %(a)s\n", "a", Interpolation::standard),
              "bad_config: test.conf: [s] a = %(a)s: interpolation is nested too deeply");
    EXPECT_EQ(value_of("[s]\na = 1%\n", "a", Interpolation::none), "1%");
}

TEST(IniFile, ErrorsNameFileAndLine) {
    const auto detail = [](std::string_view text) { return parse(text).error().detail; };
    EXPECT_EQ(detail("a = 1\n"), "test.conf: line 1: text before the first section: a = 1");
    EXPECT_EQ(detail("[s]\na = 1\nA = 2\n"), "test.conf: line 3: option appears twice in [s]: a");
    EXPECT_EQ(detail("[s]\n[s]\n"), "test.conf: line 2: section appears twice: s");
    EXPECT_EQ(detail("[s]\nword\n= 2\n"),
              "test.conf: line 2: neither a section nor an option: word");
    EXPECT_EQ(detail("[s]\na = \xff\n"), "test.conf: the text is not UTF-8");
}

TEST(IniFile, LastDuplicateWinsWhereTheyAreAllowed) {
    const auto file = parse("[s]\na = 1\na = 2\n[s]\nb = 3\n", Duplicates::last_wins);
    ASSERT_TRUE(file);
    EXPECT_EQ((*file->get("s", "a", Interpolation::none))->text, "2");
    EXPECT_EQ((*file->get("s", "b", Interpolation::none))->text, "3");
}

TEST(IniFile, DirectoryIsReadInNameOrderWithoutDotFiles) {
    const test::TemporaryDirectory directory;
    directory.write("d/10.conf", "[s]\na = 1\nb = 1\n");
    directory.write("d/20.conf", "[s]\na = 2\n");
    directory.write("d/.30.conf", "[s]\na = 3\n");
    directory.write("d/40.conf.bak", "[s]\na = 4\n");
    const auto file = IniFile::read(directory.file("d"));
    ASSERT_TRUE(file) << to_string(file.error());
    const auto a = *file->get("s", "a", Interpolation::none);
    EXPECT_EQ(a->text, "2");
    EXPECT_EQ(a->file, directory.file("d/20.conf"));
    EXPECT_EQ((*file->get("s", "b", Interpolation::none))->file, directory.file("d/10.conf"));
}

TEST(IniFile, NothingReadableIsAnError) {
    const test::TemporaryDirectory directory;
    EXPECT_EQ(IniFile::read(directory.file("no.conf")).error().detail,
              "Unable to read config from " + directory.file("no.conf"));
    EXPECT_EQ(IniFile::read(directory.path()).error().detail,
              "Unable to read config from " + directory.path());
}

TEST(PythonText, NumbersAsPythonReadsThem) {
    EXPECT_EQ(python_int(" +1_000 "), 1000);
    EXPECT_EQ(python_int("-0"), 0);
    for (const char* text : {"", " ", "60.0", "0x10", "1__0", "_1", "1_", "- 1", "+-1", "1e3"}) {
        EXPECT_FALSE(python_int(text)) << text;
    }
    const std::string large = "1" + std::string(30, '0');
    EXPECT_FALSE(python_int(large));
    EXPECT_EQ(python_int_saturated(large), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(python_int_saturated("-" + large), -std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(python_int_saturated(" 7 "), 7);
    EXPECT_FALSE(python_int_saturated(large + "x"));
    EXPECT_FALSE(python_int_saturated(std::string(4301, '1')));
    EXPECT_EQ(python_float(" 1_0.5e-1 "), 1.05);
    EXPECT_EQ(python_float(".5"), 0.5);
    EXPECT_EQ(python_float("5."), 5.0);
    EXPECT_TRUE(python_float("-Infinity"));
    EXPECT_TRUE(python_float("nan"));
    for (const char* text : {"", "1_", "1._5", "0x1p3", "1e", "--1", "+-1", "nan(1)", "1,5"}) {
        EXPECT_FALSE(python_float(text)) << text;
    }
}

TEST(PythonText, WhiteSpaceIsUnicode) {
    EXPECT_EQ(strip("\xc2\xa0 a b\xe2\x80\x83\x1c"), "a b");
    EXPECT_EQ(strip("\xc3\xa0"), "\xc3\xa0");
    EXPECT_EQ(indent_of("\xc2\xa0\ta"), 2u);
    EXPECT_EQ(to_latin1(from_latin1("\xff\x80 a")), "\xff\x80 a");
    EXPECT_FALSE(to_latin1("\xc4\x80"));
}

}  // namespace
}  // namespace fragmend::swift
