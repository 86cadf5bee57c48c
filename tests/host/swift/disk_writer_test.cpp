// Files that are written: where they end, what they leave, what they do on a full disk.
#include "host/swift/disk_writer.hpp"

#include <algorithm>

#include "tests/host/swift/object_fixture.hpp"

namespace fragmend::swift {
namespace {

struct Writing : testing::ObjectFixture {
    WriteOptions options{.reserve = {.value = 0, .is_percent = false}};
    WritePlace place{scratch / "d1", hash_dir, "tmp-1", path};

    Result<DiskWriter> open(std::optional<std::uint64_t> bytes = std::nullopt) {
        return DiskWriter::open(context, place, options, bytes);
    }
    Metadata items() { return data_metadata(8); }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        std::error_code none;
        for (const auto& entry : testing::fs::directory_iterator(hash_dir, none))
            found.push_back(entry.path().filename());
        std::sort(found.begin(), found.end());
        return found;
    }
    std::string noted() const { return testing::read_file(partition_path() + "/hashes.invalid"); }
};

TEST_F(Writing, PutsAFragmentInItsPlace) {
    auto writer = open(8).value();
    ASSERT_TRUE(writer.write(as_bytes_view("frag")));
    ASSERT_TRUE(writer.write(as_bytes_view("ment")));
    EXPECT_EQ(writer.bytes_written(), 8u);
    EXPECT_EQ(writer.finish_md5(), md5_hex("fragment"));
    EXPECT_TRUE(names().empty());
    const auto name = data_file_name(data_time, 2, true);
    ASSERT_TRUE(writer.put(items(), {.name = name, .replaces = {}}));
    EXPECT_EQ(names(), (std::vector<std::string>{name}));
    EXPECT_NE(noted().find(suffix + "\n"), std::string::npos);
    const auto object = ObjectFixture::open().value();
    EXPECT_TRUE(object.durable());
    EXPECT_EQ(object.name.path(), path);
    EXPECT_EQ(testing::read_file(object.data_path), "fragment");
}

TEST_F(Writing, LeavesNothingWhenItIsGivenUp) {
    {
        auto writer = open(1000000).value();
        ASSERT_TRUE(writer.write(as_bytes_view("half")));
    }
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(noted(), "");
}

TEST_F(Writing, TakesThePlaceOfWhatWasNotDurable) {
    put_data(false);
    auto writer = open().value();
    const auto plain = data_file_name(data_time, 2, false);
    const auto durable = data_file_name(data_time, 2, true);
    ASSERT_TRUE(writer.put(items(), {.name = durable, .replaces = plain}));
    EXPECT_EQ(names(), (std::vector<std::string>{durable}));
}

TEST_F(Writing, WritesOverTheSameName) {
    put_data(true, "other bytes");
    auto writer = open().value();
    ASSERT_TRUE(writer.write(as_bytes_view("fragment")));
    const auto name = data_file_name(data_time, 2, true);
    ASSERT_TRUE(writer.put(items(), {.name = name, .replaces = {}}));
    EXPECT_EQ(testing::read_file(hash_dir + "/" + name), "fragment");
}

TEST_F(Writing, CleansUpWhatItMakesObsolete) {
    put_data();
    const Timestamp later{data_time.raw + 100, 0};
    Metadata tombstone;
    tombstone.set("X-Timestamp", later.internal());
    auto writer = open().value();
    ASSERT_TRUE(writer.put(tombstone, {.name = tombstone_file_name(later), .replaces = {}}));
    EXPECT_EQ(names(), (std::vector<std::string>{tombstone_file_name(later)}));
    EXPECT_EQ(ObjectFixture::open()->tombstone, later);
}

TEST_F(Writing, ComesBackWhenItsDirectoryWasRemoved) {
    auto writer = open().value();
    testing::fs::remove_all(partition_path() + "/" + suffix);
    const auto name = data_file_name(data_time, 2, true);
    ASSERT_TRUE(writer.put(items(), {.name = name, .replaces = {}}));
    EXPECT_EQ(names(), (std::vector<std::string>{name}));
}

TEST_F(Writing, KeepsTheReserve) {
    options.reserve = {.value = 100, .is_percent = true};
    const auto refused = open(8);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::no_space);
    EXPECT_EQ(refused.error().detail.find("FALLOCATE_RESERVE fail "), 0u);
    EXPECT_TRUE(open());  // Of unknown length: nothing to weigh.
    options.reserve = {.value = 1e18, .is_percent = false};
    EXPECT_EQ(open(8).error().code, errc::no_space);
    options.disable_fallocate = true;
    EXPECT_TRUE(open(8));
    options = {.reserve = {.value = 0, .is_percent = false}};
    EXPECT_EQ(open(std::uint64_t{1} << 62).error().code, errc::no_space);
    EXPECT_TRUE(names().empty());
}

TEST_F(Writing, RefusesWhatIsInTheWay) {
    testing::write_file(hash_dir, "a file where a directory should be");
    EXPECT_EQ(open().error().code, errc::io);
}

TEST_F(Writing, CommitsWhatLiesThere) {
    put_data(false);
    ASSERT_TRUE(commit_fragment(context, hash_dir, data_time, 2, true));
    EXPECT_EQ(names(), (std::vector<std::string>{data_file_name(data_time, 2, true)}));
    EXPECT_NE(noted().find(suffix), std::string::npos);
    // Once more: it is durable already, which is what was asked for.
    EXPECT_TRUE(commit_fragment(context, hash_dir, data_time, 2, true));
    EXPECT_FALSE(commit_fragment(context, hash_dir, Timestamp{data_time.raw + 1, 0}, 2, true));
}

TEST_F(Writing, FindsACommitThatSomebodyElseMadeNeedless) {
    put_tombstone(Timestamp{data_time.raw + 5, 0});
    EXPECT_TRUE(commit_fragment(context, hash_dir, data_time, 2, true));
    EXPECT_FALSE(commit_fragment(context, hash_dir, Timestamp{data_time.raw + 9, 0}, 2, true));
    EXPECT_EQ(commit_fragment(context, hash_dir + "x", data_time, 2, true).error().code,
              errc::not_found);
}

}  // namespace
}  // namespace fragmend::swift
