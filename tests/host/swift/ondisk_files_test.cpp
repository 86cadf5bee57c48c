// The selection rules by example; the mass of cases is compared with Swift in tests/interop/swift.
#include "host/swift/ondisk_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace fragmend::swift {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* t1 = "0000000001.00000";
constexpr const char* t2 = "0000000002.00000";
constexpr const char* t3 = "0000000003.00000";

std::string named(const char* time, const char* rest) {
    return std::string(time) + rest;
}

OndiskFiles select(std::vector<std::string> names, SelectionOptions options = {}) {
    std::sort(names.begin(), names.end(), std::greater<>());
    options.fragment_count = 6;
    return select_ondisk_files(names, options);
}

std::vector<std::string> names_of(const std::vector<OndiskFile>& files) {
    std::vector<std::string> names;
    for (const auto& file : files)
        names.push_back(file.name);
    return names;
}

SelectionOptions with_prefs(std::vector<FragmentPreference> preferences) {
    SelectionOptions options;
    options.frag_prefs = std::move(preferences);
    return options;
}

TEST(OndiskFiles, NothingInNothingOut) {
    const auto files = select({});
    EXPECT_FALSE(files.data || files.meta || files.tombstone || files.content_type);
    EXPECT_THAT(files.recorded, IsEmpty());
}

TEST(OndiskFiles, NewerNonDurableDataIsOnlyChosenWhenAskedFor) {
    const std::vector<std::string> names{named(t1, "#2#d.data"), named(t2, "#2.data")};
    EXPECT_EQ(select(names).data->name, names[0]);
    EXPECT_THAT(names_of(select(names).possible_reclaim), ElementsAre(names[1]));
    const auto any = select(names, with_prefs({}));
    EXPECT_EQ(any.data->name, names[1]);
    EXPECT_FALSE(any.data->parsed.durable);
    EXPECT_THAT(any.possible_reclaim, IsEmpty());
    EXPECT_EQ(any.durable_timestamp()->normal(), t1);
}

TEST(OndiskFiles, OneDurableMemberMakesItsSetDurable) {
    const auto files = select({named(t1, "#0.data"), named(t1, "#3#d.data"), named(t1, "#5.data")});
    ASSERT_EQ(files.recorded.size(), 1u);
    for (const auto& member : files.recorded[0].members)
        EXPECT_TRUE(member.parsed.durable);
    EXPECT_EQ(files.data->name, named(t1, "#5.data"));
}

TEST(OndiskFiles, LegacyMarkerMakesItsTimeDurable) {
    const auto files = select({named(t1, "#0.data"), named(t1, ".durable"), named(t2, "#0.data")});
    EXPECT_EQ(files.data->name, named(t1, "#0.data"));
    EXPECT_TRUE(files.data->parsed.durable);
    EXPECT_THAT(files.obsolete, IsEmpty());
}

TEST(OndiskFiles, IsolatedLegacyMarkerIsObsoleteAndSoIsWhatIsOlder) {
    const auto files = select({named(t1, "#0.data"), named(t2, ".durable")});
    EXPECT_FALSE(files.data);
    EXPECT_THAT(names_of(files.obsolete), ElementsAre(named(t1, "#0.data"), named(t2, ".durable")));
}

TEST(OndiskFiles, OlderThanDurableIsObsoleteAndNotRecorded) {
    const auto files = select({named(t1, "#0#d.data"), named(t1, ".meta"), named(t2, "#0#d.data")});
    EXPECT_EQ(files.recorded.size(), 1u);
    EXPECT_THAT(names_of(files.obsolete), ElementsAre(named(t1, "#0#d.data"), named(t1, ".meta")));
}

TEST(OndiskFiles, TombstoneHidesWhatIsNotNewer) {
    const auto files = select({named(t1, "#0#d.data"), named(t2, ".ts"), named(t1, ".ts"),
                               named(t2, ".meta"), named(t2, ".foo")});
    EXPECT_EQ(files.tombstone->name, named(t2, ".ts"));
    EXPECT_EQ(files.obsolete.size(), 4u);
}

TEST(OndiskFiles, TombstoneStaysBesideNewerNonDurableData) {
    const std::vector<std::string> names{named(t1, ".ts"), named(t2, "#1.data")};
    EXPECT_EQ(select(names).tombstone->name, names[0]);
    const auto any = select(names, with_prefs({}));
    EXPECT_EQ(any.data->name, names[1]);
    EXPECT_FALSE(any.tombstone);
}

TEST(OndiskFiles, WantedIndexThatIsAbsentChoosesNothing) {
    SelectionOptions options;
    options.frag_index = 2;
    const auto files = select({named(t1, "#1#d.data"), named(t1, ".ts")}, options);
    EXPECT_FALSE(files.data);
    const auto without_tombstone = select({named(t1, "#1#d.data")}, options);
    EXPECT_FALSE(without_tombstone.data);
    EXPECT_TRUE(without_tombstone.durable_set);
    EXPECT_THAT(without_tombstone.possible_reclaim, IsEmpty());
}

TEST(OndiskFiles, KeepsTheNewestMetaAndANewerContentType) {
    const auto files = select(
        {named(t1, "#0#d.data"), named(t3, ".meta"), named(t2, "+0.meta"), named(t2, "-1.meta")});
    EXPECT_EQ(files.meta->name, named(t3, ".meta"));
    EXPECT_EQ(files.content_type->name, named(t2, "+0.meta"));
    EXPECT_THAT(names_of(files.obsolete), ElementsAre(named(t2, "-1.meta")));
}

TEST(OndiskFiles, ContentTypeOlderThanTheDataDoesNotCount) {
    const auto files = select({named(t2, "#0#d.data"), named(t3, "-186a1.meta")});
    EXPECT_EQ(files.meta->name, named(t3, "-186a1.meta"));
    EXPECT_FALSE(files.content_type);
}

TEST(OndiskFiles, MetaWithoutDurableDataMayBeReclaimed) {
    EXPECT_THAT(names_of(select({named(t1, ".meta")}).possible_reclaim),
                ElementsAre(named(t1, ".meta")));
}

TEST(OndiskFiles, PreferencesChooseTimeAndIndex) {
    const std::vector<std::string> names{named(t1, "#0#d.data"), named(t1, "#1#d.data"),
                                         named(t2, "#4.data"), named(t3, "#5.data")};
    const auto time = [](const char* text) { return Timestamp::parse(text).value(); };
    EXPECT_EQ(select(names, with_prefs({{time(t2), {}}})).data->name, names[2]);
    EXPECT_EQ(select(names, with_prefs({{time(t1), {1}}})).data->name, names[0]);
    EXPECT_EQ(select(names, with_prefs({{time(t3), {5}}})).data->name, names[2]);
    EXPECT_EQ(select(names, with_prefs({{time("9"), {}}})).data->name, names[3]);
    EXPECT_FALSE(
        select(names, with_prefs({{time(t1), {0, 1}}, {time(t2), {4}}, {time(t3), {5}}})).data);
}

TEST(OndiskFiles, UnexpectedNamesHaveNoSay) {
    const auto files =
        select({"junk", named(t1, "#9.data"), ".x.ts.abc123", named(t1, "#0#d.data")});
    EXPECT_EQ(files.unexpected.size(), 3u);
    EXPECT_THAT(files.obsolete, IsEmpty());
}

OndiskFiles select_whole(std::vector<std::string> names) {
    std::sort(names.begin(), names.end(), std::greater<>());
    return select_ondisk_files(
        names, {.frag_index = {}, .frag_prefs = {}, .fragment_count = no_fragments});
}

TEST(OndiskFiles, TheNewestWholeObjectMakesAllBeforeItObsolete) {
    const auto files = select_whole({named(t1, ".data"), named(t2, ".data"), named(t2, ".meta"),
                                     named(t3, ".meta"), named(t1, ".ts"), named(t2, "#1#d.data")});
    EXPECT_EQ(files.data->name, named(t2, ".data"));
    EXPECT_TRUE(files.data->parsed.durable);
    EXPECT_EQ(files.meta->name, named(t3, ".meta"));
    EXPECT_FALSE(files.tombstone);
    EXPECT_THAT(
        names_of(files.obsolete),
        ::testing::UnorderedElementsAre(named(t1, ".data"), named(t2, ".meta"), named(t1, ".ts")));
    EXPECT_THAT(files.unexpected, ElementsAre(named(t2, "#1#d.data")));
    EXPECT_THAT(files.recorded, IsEmpty());
}

TEST(OndiskFiles, MetadataWithoutAWholeObjectMayGoOneDay) {
    const auto files = select_whole({named(t1, ".ts"), named(t2, ".meta")});
    EXPECT_EQ(files.tombstone->name, named(t1, ".ts"));
    EXPECT_FALSE(files.data || files.meta);
    EXPECT_THAT(names_of(files.possible_reclaim), ElementsAre(named(t2, ".meta")));
    EXPECT_THAT(files.obsolete, IsEmpty());
}

}  // namespace
}  // namespace fragmend::swift
