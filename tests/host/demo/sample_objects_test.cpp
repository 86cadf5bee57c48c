// What clusters are filled with.
#include "host/demo/sample_objects.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace fragmend::demo {
namespace {

const Timestamp now{179'533'304'319'771, 0};

TEST(SampleObjects, AreTheSameForTheSameSeedAndOthersForAnother) {
    const SampleSpec spec{50, {{0, 1 << 20}}, true, 4};
    SampleSpec other = spec;
    other.seed = 5;
    const auto once = sample_objects(spec, now), again = sample_objects(spec, now);
    const auto others = sample_objects(other, now);
    bool all_equal = true;
    for (std::size_t i = 0; i < once.size(); ++i) {
        EXPECT_EQ(once[i].path(), again[i].path());
        EXPECT_EQ(once[i].bytes, again[i].bytes);
        EXPECT_EQ(once[i].content_seed, again[i].content_seed);
        EXPECT_EQ(once[i].put_at, again[i].put_at);
        all_equal = all_equal && once[i].content_seed == others[i].content_seed;
    }
    EXPECT_FALSE(all_equal);
}

TEST(SampleObjects, TakeTurnsWithSizesAndStayInsideRanges) {
    const auto objects = sample_objects({3000, {{100, 100}, {0, 9}, {1000, 5000}}, false, 1}, now);
    std::set<std::uint64_t> small;
    for (std::size_t i = 0; i < objects.size(); i += 3) {
        EXPECT_EQ(objects[i].bytes, 100u);
        EXPECT_LE(objects[i + 1].bytes, 9u);
        small.insert(objects[i + 1].bytes);
        EXPECT_GE(objects[i + 2].bytes, 1000u);
        EXPECT_LE(objects[i + 2].bytes, 5000u);
    }
    EXPECT_EQ(small.size(), 10u);
}

TEST(SampleObjects, HaveUniqueNamesAndPlausibleHistories) {
    const auto objects = sample_objects({400, {{0, 4096}}, true, 1}, now);
    std::set<std::string> names;
    std::size_t posted = 0, deleted = 0;
    for (const SampleObject& object : objects) {
        names.insert(object.path());
        EXPECT_LT(object.put_at, now);
        for (const auto& later : {object.posted_at, object.deleted_at}) {
            EXPECT_GT(later.value_or(now), object.put_at);
            EXPECT_LE(later.value_or(now), now);
        }
        posted += object.posted_at.has_value();
        deleted += object.deleted_at.has_value();
    }
    EXPECT_EQ(names.size(), 400u);
    EXPECT_EQ(posted, 40u);
    EXPECT_EQ(deleted, 20u);
}

TEST(SampleObjects, AreOnlyPutForTheBench) {
    for (const SampleObject& object : sample_objects({200, {{16384, 16384}}, false, 1}, now))
        EXPECT_TRUE(!object.posted_at && !object.deleted_at && !object.user_meta);
}

}  // namespace
}  // namespace fragmend::demo
