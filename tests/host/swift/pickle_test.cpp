// The pickle machine: what it refuses, and that nothing makes it read past an end.
#include "host/swift/pickle.hpp"

#include <gtest/gtest.h>

#include "host/swift/pickle_text.hpp"
#include "host/swift/pickle_writer.hpp"

namespace fragmend::swift {
namespace {

using std::string_literals::operator""s;

errc refusal(const std::string& bytes, const PickleLimits& limits = {}) {
    const auto value = read_pickle(bytes, limits);
    return value ? errc::internal : value.error().code;
}

TEST(Pickle, ReadsStringsOfPython2) {
    const auto value = read_pickle("S'it\\'s \\x41\\n'\n."s);
    ASSERT_TRUE(value) << to_string(value.error());
    EXPECT_EQ(value->as<PickleBytes>()->bytes, "it's A\n");
}

TEST(Pickle, ReadsTextOfProtocol0) {
    const auto value = read_pickle("Vcaf\xe9 \\u20ac \\U0001f600\n."s);
    ASSERT_TRUE(value);
    EXPECT_EQ(value->as<PickleText>()->utf8, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(Pickle, RefusesEveryOtherGlobal) {
    for (const char* global :
         {"cos\nsystem\n(S'true'\ntR.", "c__builtin__\neval\n(S'1'\ntR.", "cposix\nsystem\n.",
          "ccopy_reg\n_reconstructor\n.", "c_codecs\ndecode\n."}) {
        EXPECT_EQ(refusal(global), errc::bad_pickle) << global;
    }
    EXPECT_EQ(refusal("\x80\x04\x8c\x02os\x8c\x06system\x93."s), errc::bad_pickle);
    EXPECT_EQ(refusal("(ios\nsystem\n."), errc::bad_pickle);
}

TEST(Pickle, RefusesACallableAsAValue) {
    EXPECT_EQ(refusal("c__builtin__\nbytes\n."), errc::bad_pickle);
    EXPECT_EQ(refusal("(c__builtin__\nbytes\nl."), errc::bad_pickle);
}

TEST(Pickle, RefusesWrongArgumentsOfKnownCallables) {
    for (const char* call : {"c_codecs\nencode\n(Vabc\nVutf8\ntR.", "c_codecs\nencode\n(Vabc\ntR.",
                             "c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR.",
                             "c__builtin__\nbytes\n(I1\ntR.", "c__builtin__\nobject\n(tR.",
                             "ccopy_reg\n_reconstructor\n(c__builtin__\nobject\n"
                             "c__builtin__\ndict\n(dtR."}) {
        EXPECT_EQ(refusal(call), errc::bad_pickle) << call;
    }
}

TEST(Pickle, EndsACycle) {
    EXPECT_EQ(refusal("]q\x00h\x00"s + "a."s), errc::bad_pickle);
}

TEST(Pickle, EndsAnAvalancheOfSharedLists) {
    std::string bytes = "]q\x00"s;
    for (char level = 0; level < 30; ++level) {
        const std::string recall = "h"s + level;
        bytes += "]q"s + static_cast<char>(level + 1) + "(";
        for (int i = 0; i < 10; ++i)
            bytes += recall;
        bytes += "e";
    }
    EXPECT_EQ(refusal(bytes + "."), errc::bad_pickle);
}

TEST(Pickle, KeepsItsLimits) {
    const PickleLimits few{.input_bytes = 100, .items = 4, .text_bytes = 8, .depth = 2};
    EXPECT_TRUE(read_pickle("(I1\nI2\nl."s, few));
    EXPECT_EQ(refusal("(I1\nI2\nI3\nI4\nl.", few), errc::bad_pickle);
    EXPECT_EQ(refusal("U\x09"
                      "123456789."s,
                      few),
              errc::bad_pickle);
    EXPECT_EQ(refusal("((((tttt.", few), errc::bad_pickle);
    EXPECT_EQ(refusal(std::string(101, '('), few), errc::bad_pickle);
    EXPECT_EQ(refusal("]]]]a"
                      "aa.",
                      few),
              errc::bad_pickle);
}

TEST(Pickle, WhatCallsMakeCountsAgainstTheLimits) {
    const PickleLimits little{.text_bytes = 100};
    const auto calls = [&](int count) {
        std::string bytes = "c_codecs\nencode\np0\n0(V12345678901234567890\nVlatin1\ntp1\n0]";
        for (int i = 0; i < count; ++i)
            bytes += "g0\ng1\nR0";
        return bytes + ".";
    };
    EXPECT_TRUE(read_pickle(calls(3), little));
    EXPECT_EQ(refusal(calls(4), little), errc::bad_pickle);
    const auto arrays = [&](int count) {
        std::string bytes = "carray\narray\np0\n0(VH\n(lI1\naI2\naI3\naI4\naI5\natp1\n0]";
        for (int i = 0; i < count; ++i)
            bytes += "g0\ng1\nR0";
        return read_pickle(bytes + ".", little, PickleSubject::ring).has_value();
    };
    EXPECT_TRUE(arrays(9));
    EXPECT_FALSE(arrays(10));
}

TEST(Pickle, ReadsArraysInRingsOnly) {
    const auto read = [](const std::string& bytes) {
        return read_pickle(bytes, {}, PickleSubject::ring);
    };
    const std::string list = "carray\narray\n(S'H'\n(lI1\naI65535\natR.";
    EXPECT_EQ(refusal(list), errc::bad_pickle);
    EXPECT_EQ(read(list)->as<PickleArray>()->items, (std::vector<std::uint16_t>{1, 65535}));
    const std::string big =
        "\x80\x03"
        "carray\n_array_reconstructor\n(carray\narray\nX\x01\0\0\0HK\x03"
        "C\x04\x01\x02\x03\x04tR."s;
    EXPECT_EQ(read(big)->as<PickleArray>()->items, (std::vector<std::uint16_t>{0x102, 0x304}));
    for (const char* format : {"K\x01", "K\x04", "N"}) {
        std::string other = big;
        other.replace(other.find("K\x03"), 2, format);
        EXPECT_FALSE(read(other)) << format;
    }
    EXPECT_EQ(refusal("cswift.common.ring.ring\nRingData\n)\x81}b."), errc::bad_pickle);
    EXPECT_TRUE(read("cswift.common.ring.ring\nRingData\n)\x81}b."));
    EXPECT_FALSE(read("cswift.common.ring.ring\nRingData\n)\x81."));
    EXPECT_FALSE(read("cswift.common.ring.ring\nRingData\n)R."));
}

TEST(Pickle, RefusesNumbersBeyond64Bits) {
    EXPECT_EQ(refusal("L9223372036854775808L\n."), errc::bad_pickle);
    EXPECT_EQ(refusal("\x80\x02\x8a\x09"
                      "123456789."s),
              errc::bad_pickle);
    EXPECT_EQ(*read_pickle("L-9223372036854775808L\n."s)->as<std::int64_t>(), INT64_MIN);
    EXPECT_EQ(*read_pickle("\x80\x02\x8a\x00."s)->as<std::int64_t>(), 0);
    EXPECT_EQ(*read_pickle("\x80\x02\x8a\x01\xff."s)->as<std::int64_t>(), -1);
}

TEST(Pickle, NothingReachesBelowAMark) {
    EXPECT_EQ(refusal("I1\n(0."), errc::bad_pickle);
    EXPECT_EQ(refusal("I1\nI2\n(\x86."s), errc::bad_pickle);
    EXPECT_EQ(refusal("](I1\na."), errc::bad_pickle);
    EXPECT_EQ(refusal("I1\n(."), errc::bad_pickle);
    EXPECT_EQ(refusal("t."), errc::bad_pickle);
}

TEST(Pickle, RefusesEveryPrefixAndSurvivesEveryFlippedByte) {
    PickleWriter writer;
    auto dict = writer.begin_dict(3);
    for (const char* key : {"one", "two", "three"}) {
        writer.begin_item(dict);
        writer.bytes(key);
        writer.bytes("value \xe9");
    }
    writer.end_dict(dict);
    const std::string whole = writer.finish();
    ASSERT_TRUE(read_pickle(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_EQ(refusal(whole.substr(0, length)), errc::bad_pickle) << length;
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            (void)read_pickle(flipped);
        }
    }
}

TEST(Pickle, IgnoresWhatFollowsTheEnd) {
    EXPECT_TRUE(read_pickle("N.garbage"s));
}

TEST(PickleText, WireBytesUndoTheDoubleEncoding) {
    EXPECT_EQ(wire_bytes_from_stored("caf\xc3\x83\xc2\xa9"), "caf\xc3\xa9");
    EXPECT_EQ(wire_bytes_from_stored("tail\xc3\x82\xc2\xa0"), "tail\xc2\xa0");
    EXPECT_EQ(wire_bytes_from_stored("\xff\xc3\xa9\xc3"), "\xff\xe9\xc3");
    EXPECT_EQ(wire_bytes_from_stored("\xe2\x82\xac"), "\xe2\x82\xac");
    EXPECT_EQ(wire_bytes_from_stored("\xed\xa0\x80"), "\xed\xa0\x80");
}

}  // namespace
}  // namespace fragmend::swift
