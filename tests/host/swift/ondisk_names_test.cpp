// File names: every form, and what is left unrecognised.
#include "host/swift/ondisk_names.hpp"

#include <gtest/gtest.h>

namespace fragmend::swift {
namespace {

Timestamp at(const char* text) {
    return Timestamp::parse(text).value();
}

TEST(OndiskNames, ReadsDataFiles) {
    const auto durable = parse_ondisk_name("1795333043.19771#3#d.data", 6);
    ASSERT_TRUE(durable);
    EXPECT_EQ(*durable, (OndiskName{OndiskKind::data, at("1795333043.19771"), {}, 3, true}));
    const auto plain = parse_ondisk_name("1795333043.19771_00000000000000ff#05.data", 6);
    ASSERT_TRUE(plain);
    EXPECT_EQ(*plain, (OndiskName{OndiskKind::data, at("1795333043.19771_ff"), {}, 5, false}));
    EXPECT_FALSE(parse_ondisk_name("1795333043.19771#3#x.data", 6)->durable);
    EXPECT_TRUE(parse_ondisk_name("1795333043.19771#3#d#more.data", 6)->durable);
}

TEST(OndiskNames, RefusesBadFragmentIndexes) {
    for (const char* name : {"1.00000.data", "1.00000#.data", "1.00000#-1.data", "1.00000#a.data",
                             "1.00000#6.data", "1.00000##d.data", "1.00000# 1.data",
                             "1.00000#99999999999999999999.data", "x#1.data", "#1.data"}) {
        EXPECT_EQ(parse_ondisk_name(name, 6).error().code, errc::bad_name) << name;
    }
    EXPECT_EQ(parse_ondisk_name("1.00000#6.data", any_fragment_count)->fragment_index, 6);
}

TEST(OndiskNames, ReadsMetaFilesWithContentTypeTimes) {
    const auto earlier = parse_ondisk_name("1795332155.61494-7a120.meta", 6);
    ASSERT_TRUE(earlier);
    EXPECT_EQ(earlier->kind, OndiskKind::meta);
    EXPECT_EQ(earlier->content_type, at("1795332150.61494"));
    const auto same = parse_ondisk_name("1795332155.61494_ff+0.meta", 6);
    ASSERT_TRUE(same);
    EXPECT_EQ(same->content_type, at("1795332155.61494_ff"));
    const auto later = parse_ondisk_name("1795332155.61494_ff+1.meta", 6);
    EXPECT_EQ(later->content_type, at("1795332155.61495"));
    EXPECT_FALSE(parse_ondisk_name("1795332155.61494.meta", 6)->content_type);
    EXPECT_EQ(parse_ondisk_name("1795332155.61494+1-2.meta", 6)->content_type,
              at("1795332155.61495"));
    for (const char* name : {"x.meta", ".meta", "1.0+.meta", "1.0+zz.meta", "1.0-ffffffffff.meta",
                             "1.0++1.meta", "1.0+1+zz.meta", "1.0+ 1.meta"}) {
        EXPECT_TRUE(parse_ondisk_name(name, 6).has_error()) << name;
    }
}

TEST(OndiskNames, ReadsTheRest) {
    EXPECT_EQ(parse_ondisk_name("1.00000.ts", 6)->kind, OndiskKind::tombstone);
    EXPECT_EQ(parse_ondisk_name("1.00000.durable", 6)->kind, OndiskKind::legacy_durable);
    EXPECT_EQ(parse_ondisk_name("1.00000.TS", 6)->kind, OndiskKind::other);
    // The fraction passes for an extension, as it does in Swift.
    EXPECT_EQ(*parse_ondisk_name("1795333043.19771", 6),
              (OndiskName{OndiskKind::other, at("1795333043"), {}, -1, false}));
    for (const char* name : {"", ".", "..", "...", "hashes.pkl", ".hidden", "..data", "nan.ts"}) {
        EXPECT_TRUE(parse_ondisk_name(name, 6).has_error()) << name;
    }
}

TEST(OndiskNames, MakesWhatItReads) {
    const Timestamp time = at("1795333043.19771_ff");
    EXPECT_EQ(data_file_name(time, 3, true), "1795333043.19771_00000000000000ff#3#d.data");
    EXPECT_EQ(data_file_name(time, 13, false), "1795333043.19771_00000000000000ff#13.data");
    EXPECT_EQ(tombstone_file_name(time), "1795333043.19771_00000000000000ff.ts");
    EXPECT_EQ(meta_file_name(time, {}), "1795333043.19771_00000000000000ff.meta");
    EXPECT_EQ(meta_file_name(time, time), "1795333043.19771_ff+0.meta");
    EXPECT_EQ(meta_file_name(at("1795332155.61494"), at("1795332150.61494")),
              "1795332155.61494-7a120.meta");
    EXPECT_EQ(meta_file_name(at("1.00000"), at("1.00010")), "0000000001.00000+a.meta");
}

TEST(OndiskNames, KnowsRsyncTempFiles) {
    EXPECT_TRUE(is_rsync_temp_name(".1795333043.19771#1#d.data.Xy095a"));
    EXPECT_TRUE(is_rsync_temp_name("..abc_12"));
    for (const char* name : {"", "a.b.Xy095a", ".Xy095a", ".x.Xy095", ".x.Xy-95a"}) {
        EXPECT_FALSE(is_rsync_temp_name(name)) << name;
    }
}

}  // namespace
}  // namespace fragmend::swift
