// Finding and opening objects, and reading their archives.
#include "host/swift/diskfile.hpp"

#include <gmock/gmock.h>
#include <sys/xattr.h>

#include "host/swift/local_fragment.hpp"
#include "tests/host/swift/object_fixture.hpp"

namespace fragmend::swift {
namespace {

using Diskfile = testing::ObjectFixture;

TEST(ObjectPath, SplitsAndRefuses) {
    const auto name = parse_object_path("/a/c/o/with/slashes");
    ASSERT_TRUE(name);
    EXPECT_EQ(*name, (ObjectName{"a", "c", "o/with/slashes"}));
    EXPECT_EQ(name->path(), "/a/c/o/with/slashes");
    for (const char* path : {"", "/", "a/c/o", "/a/c", "/a/c/", "//c/o", "/a//o"}) {
        EXPECT_TRUE(parse_object_path(path).has_error()) << path;
    }
}

TEST_F(Diskfile, OpensADurableFragment) {
    put_data();
    const auto object = open();
    ASSERT_TRUE(object) << to_string(object.error());
    EXPECT_EQ(object->name.path(), path);
    EXPECT_FALSE(object->tombstone);
    EXPECT_EQ(object->data_timestamp, data_time);
    EXPECT_EQ(object->timestamp, data_time);
    EXPECT_EQ(object->durable_timestamp, data_time);
    EXPECT_TRUE(object->durable());
    EXPECT_EQ(object->fragment_index, 2);
    EXPECT_EQ(object->stored_fragment_index(), 2);
    EXPECT_EQ(object->content_length, 8u);
    EXPECT_EQ(object->data_path, hash_dir + "/" + data_file_name(data_time, 2, true));
    EXPECT_FALSE(object->meta_metadata);
}

TEST_F(Diskfile, OpensNonDurableDataOnlyWhenAsked) {
    put_data(false);
    EXPECT_EQ(open().error().code, errc::not_found);
    const auto object = open({.frag_index = 2, .frag_prefs = {{}}});
    ASSERT_TRUE(object);
    EXPECT_FALSE(object->durable());
    EXPECT_FALSE(object->durable_timestamp);
    EXPECT_EQ(open({.frag_index = 3, .frag_prefs = {{}}}).error().code, errc::not_found);
}

TEST_F(Diskfile, MergesAPostIntoWhatCounts) {
    put_data();
    const Timestamp posted = ago(500);
    put(meta_file_name(posted, {}), {}, meta_metadata(posted));
    const auto object = open();
    ASSERT_TRUE(object);
    EXPECT_EQ(object->timestamp, posted);
    EXPECT_EQ(object->data_timestamp, data_time);
    EXPECT_FALSE(object->meta_metadata->contains("name"));
    EXPECT_EQ(object->effective.text("X-Object-Meta-Color"), "blue");
    EXPECT_EQ(object->effective.text("Content-Length"), "8");
    EXPECT_EQ(object->effective.text("Content-Type"), "text/plain");
    EXPECT_FALSE(object->data_metadata.contains("X-Object-Meta-Color"));
}

TEST_F(Diskfile, TakesTheContentTypeOfASecondMeta) {
    put_data();
    const Timestamp typed = ago(700);
    Metadata second = meta_metadata(typed);
    second.set("Content-Type", "text/html");
    second.set("Content-Type-Timestamp", typed.internal());
    put(meta_file_name(typed, typed), {}, second);
    const Timestamp posted = ago(500);
    put(meta_file_name(posted, {}), {}, meta_metadata(posted));
    const auto object = open();
    ASSERT_TRUE(object);
    EXPECT_EQ(object->effective.text("Content-Type"), "text/html");
    EXPECT_EQ(object->meta_metadata->text("Content-Type-Timestamp"), typed.internal());
    EXPECT_EQ(object->content_type_timestamp, typed);
}

TEST_F(Diskfile, ReportsATombstoneByItsMetadata) {
    put_tombstone(ago(10));
    const auto object = open();
    ASSERT_TRUE(object);
    EXPECT_EQ(object->tombstone, ago(10));
    EXPECT_EQ(object->name.path(), path);
    EXPECT_FALSE(object->fd.valid());
}

TEST_F(Diskfile, ExpiredObjectsNeedPermission) {
    Metadata metadata = data_metadata(1);
    metadata.set("X-Delete-At", std::to_string(testing::test_now().raw / 100000));
    put(data_file_name(data_time, 2, true), "x", metadata);
    EXPECT_EQ(open().error().code, errc::expired);
    EXPECT_TRUE(open({.frag_index = {}, .frag_prefs = {}, .open_expired = true}));
}

TEST_F(Diskfile, AnExpiryBeyondAllNumbersIsFarAway) {
    Metadata metadata = data_metadata(1);
    metadata.set("X-Delete-At", "1" + std::string(20, '0'));
    put(data_file_name(data_time, 2, true), "x", metadata);
    EXPECT_TRUE(open());
}

TEST_F(Diskfile, QuarantinesWhatDoesNotHoldTogether) {
    const auto file = data_file_name(data_time, 2, true);
    struct Case {
        const char* key;
        const char* value;
        const char* reason;
    };
    for (const auto& wrong : {Case{"Content-Length", "9",
                                   "metadata content-length 9 does not match actual object size 8"},
                              Case{"Content-Length", "x", "bad metadata content-length value x"},
                              Case{"Content-Length", nullptr, "missing content-length in metadata"},
                              Case{"X-Delete-At", "soon", "bad metadata x-delete-at value soon"}}) {
        Metadata metadata = data_metadata(8);
        if (wrong.value != nullptr) {
            metadata.set(wrong.key, wrong.value);
        } else {
            metadata.erase(wrong.key);
        }
        put(file, "fragment", metadata);
        const auto object = open();
        ASSERT_TRUE(object.has_error()) << wrong.reason;
        EXPECT_EQ(object.error().code, errc::quarantined);
        EXPECT_EQ(object.error().detail, wrong.reason);
        EXPECT_FALSE(testing::fs::exists(hash_dir));
        EXPECT_TRUE(
            lines.contains("Quarantined object " + hash_dir + "/" + file + ": " + wrong.reason));
    }
    EXPECT_EQ(quarantines, 4u);
}

TEST_F(Diskfile, QuarantinesUnreadableMetadataOfTheChosenFile) {
    put_data();
    // The name is learned from the file that sorts first, so this one is only read when opened.
    const Timestamp posted = ago(500);
    put(meta_file_name(posted, {}), {}, meta_metadata(posted));
    ::setxattr((hash_dir + "/" + meta_file_name(posted, {})).c_str(),
               "user.swift.metadata_checksum", "bad", 3, 0);
    EXPECT_EQ(open().error().code, errc::quarantined);
}

TEST_F(Diskfile, LeavesAloneWhatItCannotName) {
    EXPECT_EQ(open().error().code, errc::not_found);
    testing::write_file(hash_dir + "/" + data_file_name(data_time, 2, true));
    EXPECT_EQ(open().error().code, errc::bad_pickle);
    Metadata metadata = data_metadata(1);
    metadata.set("name", "/a/c/other");
    put(data_file_name(data_time, 2, true), "x", metadata);
    EXPECT_EQ(open().error().code, errc::name_collision);
    EXPECT_TRUE(has(data_file_name(data_time, 2, true)));
    EXPECT_EQ(open_object(context, "d1", "7", "../../etc", {}).error().code, errc::bad_name);
    EXPECT_EQ(open_object(context, "d9", "7", hash, {}).error().code, errc::not_mounted);
}

TEST_F(Diskfile, RefusesAMetaOfAnotherObject) {
    put_data();
    Metadata metadata = meta_metadata(ago(500));
    metadata.set("name", "/a/c/other");
    put(meta_file_name(ago(500), {}), {}, metadata);
    EXPECT_EQ(open().error().code, errc::name_collision);
}

TEST_F(Diskfile, QuarantinesAFileInPlaceOfTheDirectory) {
    testing::write_file(hash_dir, "not a directory");
    EXPECT_EQ(open().error().code, errc::not_found);
    EXPECT_EQ(testing::read_file(scratch / "d1/quarantined/objects-1/" + hash), "not a directory");
}

TEST_F(Diskfile, ReadsAnArchiveToItsEnd) {
    std::string bytes;
    for (int i = 0; bytes.size() < 3'000'000; ++i)
        bytes += std::to_string(i);
    put_data(true, bytes);
    auto object = open();
    ASSERT_TRUE(object);
    LocalFragmentFile file(std::move(object->fd), object->data_path, object->content_length);
    std::string read;
    std::vector<std::byte> buffer(100'000);
    for (;;) {
        const auto got = file.read(buffer);
        ASSERT_TRUE(got);
        read += as_text(ByteView(buffer).first(*got));
        if (*got < buffer.size()) break;
    }
    EXPECT_EQ(read, bytes);
    EXPECT_EQ(file.bytes_read(), file.content_length());
    EXPECT_EQ(*file.read(buffer), 0u);
}

TEST(LocalFragment, GivesSwiftsReasons) {
    EXPECT_EQ(etag_mismatch_reason("a", "b"), "ETag a and file's md5 b do not match");
    EXPECT_EQ(length_mismatch_reason(1, 2), "Bytes read: 1, does not match metadata: 2");
    EXPECT_EQ(bad_fragment_reason(0x1a2b), "Invalid EC metadata at offset 0x1a2b");
}

}  // namespace
}  // namespace fragmend::swift
