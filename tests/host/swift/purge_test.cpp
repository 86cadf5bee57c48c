// Purge: only what was acknowledged goes.
#include "host/swift/purge.hpp"

#include "tests/host/swift/object_fixture.hpp"

namespace fragmend::swift {
namespace {

struct Purge : testing::ObjectFixture {
    PurgeRequest request() const {
        return {.object_hash = hash,
                .data = data_time,
                .meta = {},
                .durable = true,
                .frag_index = 2,
                .pure_handoff = true};
    }
    Result<bool> purge(const PurgeRequest& wanted) {
        return purge_object(context, "d1", "7", wanted);
    }
    void age(const std::string& name, double seconds) {
        set_modified(hash_dir + "/" + name, seconds);
    }
    const std::string durable = data_file_name(data_time, 2, true);
    const std::string plain = data_file_name(data_time, 2, false);
};

TEST_F(Purge, RemovesADurableFragmentItsDirectoriesAndInvalidates) {
    put_data();
    ASSERT_TRUE(purge(request()));
    EXPECT_FALSE(testing::fs::exists(hash_dir));
    EXPECT_EQ(testing::read_file(partition_path() + "/hashes.invalid"), suffix + "\n");
    EXPECT_TRUE(remove_empty_suffix(context, "d1", "7", suffix));
    EXPECT_FALSE(testing::fs::exists(partition_path() + "/" + suffix));
    EXPECT_EQ(purge(request()).error().code, errc::not_found);
}

TEST_F(Purge, LeavesOtherTimesAndIndexes) {
    put_data();
    put_data(true, "fragment", 3);
    const Timestamp newer = ago(10);
    put(data_file_name(newer, 2, false), "x", data_metadata(1));
    ASSERT_TRUE(purge(request()));
    EXPECT_FALSE(has(durable));
    EXPECT_TRUE(has(data_file_name(data_time, 3, true)));
    EXPECT_TRUE(has(data_file_name(newer, 2, false)));
    EXPECT_FALSE(remove_empty_suffix(context, "d1", "7", suffix));
}

TEST_F(Purge, NonDurableDataWaitsForTheCommitWindow) {
    put_data(false);
    age(plain, 60);
    PurgeRequest wanted = request();
    wanted.durable = false;
    ASSERT_TRUE(purge(wanted));
    EXPECT_TRUE(has(plain));
    age(plain, 60.1);
    ASSERT_TRUE(purge(wanted));
    EXPECT_FALSE(testing::fs::exists(hash_dir));
}

TEST_F(Purge, KeepsAFragmentThatBecameDurableAfterItsOffer) {
    put_data();
    PurgeRequest wanted = request();
    wanted.durable = false;
    ASSERT_TRUE(purge(wanted));
    EXPECT_TRUE(has(durable));
}

TEST_F(Purge, LegacyDurableDataGoesAtOnce) {
    put_data(false);
    testing::write_file(hash_dir + "/" + data_time.internal() + ".durable");
    ASSERT_TRUE(purge(request()));
    EXPECT_FALSE(has(plain));
    EXPECT_TRUE(has(data_time.internal() + ".durable"));
}

TEST_F(Purge, TombstonesGoAndTheirDirectoryStays) {
    put_tombstone(data_time);
    PurgeRequest wanted = request();
    wanted.frag_index = std::nullopt;
    ASSERT_TRUE(purge(wanted));
    EXPECT_TRUE(testing::fs::exists(hash_dir));
    EXPECT_FALSE(has(tombstone_file_name(data_time)));
}

TEST_F(Purge, MetaWithAContentTypeTimeGoesToo) {
    const Timestamp posted = ago(500);
    put_data();
    put(meta_file_name(posted, posted), {}, meta_metadata(posted));
    PurgeRequest wanted = request();
    wanted.meta = posted;
    ASSERT_TRUE(purge(wanted).value());
    EXPECT_FALSE(testing::fs::exists(hash_dir));
}

TEST_F(Purge, ObjectThatWasPostedToSinceItsOfferStaysWhole) {
    const Timestamp offered = ago(500);
    const Timestamp since = ago(5);
    put_data();
    put(meta_file_name(since, {}), {}, meta_metadata(since));
    PurgeRequest wanted = request();
    for (const std::optional<Timestamp>& known :
         {std::optional<Timestamp>(), std::optional(offered)}) {
        wanted.meta = known;
        EXPECT_FALSE(purge(wanted).value());
        EXPECT_TRUE(has(durable));
        EXPECT_TRUE(has(meta_file_name(since, {})));
    }
    wanted.meta = since;
    EXPECT_TRUE(purge(wanted).value());
    EXPECT_FALSE(testing::fs::exists(hash_dir));
}

TEST_F(Purge, MetaStaysAsLongAsItsFragmentDoes) {
    const Timestamp posted = ago(30);
    put_data(false);
    put(meta_file_name(posted, {}), {}, meta_metadata(posted));
    age(plain, 1);
    PurgeRequest wanted = request();
    wanted.durable = false;
    wanted.meta = posted;
    ASSERT_TRUE(purge(wanted));
    EXPECT_TRUE(has(plain));
    EXPECT_TRUE(has(meta_file_name(posted, {})));
}

TEST_F(Purge, MetaGoesOnlyFromAPureHandoffWithNothingElse) {
    const Timestamp posted = ago(500);
    const auto meta = meta_file_name(posted, {});
    PurgeRequest wanted = request();
    wanted.meta = posted;

    put_data();
    put(meta, {}, meta_metadata(posted));
    wanted.pure_handoff = false;
    ASSERT_TRUE(purge(wanted));
    EXPECT_TRUE(has(meta));

    put_data();
    put_data(true, "fragment", 3);
    wanted.pure_handoff = true;
    ASSERT_TRUE(purge(wanted));
    EXPECT_TRUE(has(meta));

    testing::fs::remove(hash_dir + "/" + data_file_name(data_time, 3, true));
    put_data();
    ASSERT_TRUE(purge(wanted));
    EXPECT_FALSE(testing::fs::exists(hash_dir));
}

}  // namespace
}  // namespace fragmend::swift
