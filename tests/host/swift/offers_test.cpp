// What a suffix offers to a peer.
#include "host/swift/offers.hpp"

#include <gmock/gmock.h>

#include "tests/host/swift/object_fixture.hpp"

namespace fragmend::swift {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Offers : testing::ObjectFixture {
    std::vector<LocalOffer> offers(const OfferOptions& options = {}) {
        auto listed = list_offers(context, "d1", "7", suffix, options);
        EXPECT_TRUE(listed) << to_string(listed.error());
        return std::move(*listed);
    }
    bool invalidated() const { return testing::fs::exists(partition_path() + "/hashes.invalid"); }
};

TEST_F(Offers, NamesDataMetaAndContentType) {
    put_data();
    const Timestamp posted = ago(500);
    const Timestamp typed = ago(600);
    testing::write_file(hash_dir + "/" + meta_file_name(posted, typed));
    EXPECT_THAT(offers({.frag_index = 2, .frag_prefs = {}}),
                ElementsAre(LocalOffer{hash, data_time, posted, typed, true}));
    EXPECT_THAT(offers({.frag_index = 3, .frag_prefs = {}}), IsEmpty());
    EXPECT_FALSE(invalidated());
}

TEST_F(Offers, NonDurableDataNeedsAnEmptyList) {
    put_data(false);
    EXPECT_THAT(offers({.frag_index = 2, .frag_prefs = {}}), IsEmpty());
    EXPECT_THAT(offers({.frag_index = 2, .frag_prefs = {{}}}),
                ElementsAre(LocalOffer{hash, data_time, {}, {}, false}));
}

TEST_F(Offers, TombstonesHaveNoDurability) {
    put_tombstone(ago(10));
    EXPECT_THAT(offers(), ElementsAre(LocalOffer{hash, ago(10), {}, {}, {}}));
}

TEST_F(Offers, NeverOffersWhatIsNoObjectOfThisSuffix) {
    testing::write_file(partition_path() + "/" + suffix + "/nohash/" +
                        tombstone_file_name(ago(10)));
    const std::string other_suffix = suffix == "000" ? "111" : "000";
    testing::write_file(partition_path() + "/" + suffix + "/" + hash.substr(0, 29) + other_suffix +
                        "/" + tombstone_file_name(ago(10)));
    testing::write_file(partition_path() + "/" + suffix + "/stray");
    EXPECT_THAT(offers(), IsEmpty());
    EXPECT_TRUE(testing::fs::exists(partition_path() + "/" + suffix + "/stray"));
    EXPECT_FALSE(invalidated());
}

TEST_F(Offers, ASuffixWithoutFilesIsInvalidated) {
    put_tombstone(ago(context.reclaim_age_s + 1));
    EXPECT_THAT(offers(), IsEmpty());
    EXPECT_EQ(testing::read_file(partition_path() + "/hashes.invalid"), suffix + "\n");
}

TEST_F(Offers, RefusesNamesThatAreNoSuffixes) {
    EXPECT_EQ(list_offers(context, "d1", "7", "..", {}).error().code, errc::bad_name);
    EXPECT_EQ(list_offers(context, "d9", "7", suffix, {}).error().code, errc::not_mounted);
    testing::write_file(partition_path() + "/abc");
    EXPECT_TRUE(list_offers(context, "d1", "7", "abc", {}).has_error());
}

}  // namespace
}  // namespace fragmend::swift
