// Metadata: lookups, and its storage in xattrs of real files.
#include "host/swift/metadata.hpp"

#include <fcntl.h>

#include "host/base/unique_fd.hpp"
#include "host/swift/metadata_xattr.hpp"
#include "host/swift/pickle_writer.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift {
namespace {

using testing::ScratchFolder;

Metadata example() {
    Metadata metadata;
    metadata.set("X-Timestamp", "1795333043.19771");
    metadata.set("name", "/a/c/\xc3\xa9");
    metadata.set("X-Object-Meta-Caf\xc3\xa9", "caf\xc3\xa9");
    metadata.set("X-Object-Sysmeta-Ec-Frag-Index", std::int64_t{3});
    return metadata;
}

std::string get_attribute(const std::string& path, const char* name) {
    char buffer[70000];
    const ssize_t length = ::getxattr(path.c_str(), name, buffer, sizeof buffer);
    return length < 0 ? "" : std::string(buffer, static_cast<std::size_t>(length));
}

TEST(Metadata, FindsAndChangesItems) {
    Metadata metadata = example();
    EXPECT_EQ(metadata.text("X-Object-Sysmeta-Ec-Frag-Index"), "3");
    EXPECT_EQ(metadata.timestamp("X-Timestamp")->normal(), "1795333043.19771");
    EXPECT_EQ(metadata.timestamp("Absent").error().code, errc::bad_metadata);
    EXPECT_EQ(metadata.timestamp("name").error().code, errc::bad_metadata);
    EXPECT_FALSE(metadata.contains("x-timestamp"));
    metadata.set("X-Timestamp", "1.00000");
    EXPECT_EQ(metadata.items().size(), 4u);
    EXPECT_EQ(metadata.items()[0].first, "X-Timestamp");
    metadata.erase("name");
    EXPECT_FALSE(metadata.text("name"));
}

TEST(Metadata, TitleCasesHeaderNames) {
    EXPECT_EQ(title_case("x-object-sysmeta-EC-frag-index"), "X-Object-Sysmeta-Ec-Frag-Index");
    EXPECT_EQ(title_case("etag"), "Etag");
    EXPECT_EQ(title_case("x-object-meta-a1b"), "X-Object-Meta-A1B");
}

TEST(Metadata, KnowsObjectSysmeta) {
    EXPECT_TRUE(is_object_sysmeta("X-Object-Sysmeta-Ec-Etag"));
    EXPECT_TRUE(is_object_sysmeta("x-object-sysmeta-a"));
    EXPECT_FALSE(is_object_sysmeta("X-Object-Sysmeta-"));
    EXPECT_FALSE(is_object_sysmeta("X-Object-Transient-Sysmeta-A"));
}

TEST(Metadata, RefusesWhatIsNoDictOfText) {
    for (const char* pickle : {"", "N.", "]..", "(dI1\nVx\ns.", "(dVx\n]s.", "(dVx\nNs."}) {
        const auto read = decode_metadata(pickle);
        ASSERT_TRUE(read.has_error()) << pickle;
        EXPECT_TRUE(read.error() == errc::bad_metadata || read.error() == errc::bad_pickle);
    }
}

TEST(Metadata, RefusesOneLongValueUnderManyNames) {
    const auto pickle = [](int names) {
        const std::string value(1 << 20, 'v');
        std::string text = "}(Vname0\nV" + value + "\nq\x01";
        for (int i = 1; i < names; ++i)
            text += "Vname" + std::to_string(i) + "\nh\x01";
        return text + "u.";
    };
    EXPECT_TRUE(decode_metadata(pickle(10)).has_value());
    EXPECT_EQ(decode_metadata(pickle(20)).error(), errc::bad_metadata);
}

TEST(MetadataXattr, StoresAndReadsThroughFdAndPath) {
    const ScratchFolder scratch;
    const std::string path = scratch / "file";
    testing::write_file(path);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY));
    for (const std::size_t chunk : {xattr_chunk_bytes, std::size_t{254}, std::size_t{20}}) {
        ASSERT_TRUE(write_metadata(fd.get(), path, example(), chunk));
        EXPECT_EQ(*read_metadata(fd.get(), path), example());
        EXPECT_EQ(*read_metadata(path), example());
        EXPECT_EQ(get_attribute(path, "user.swift.metadata").size(),
                  std::min(chunk, encode_metadata(example()).size()));
        for (int i = 0; i < 100; ++i) {
            ::removexattr(path.c_str(), ("user.swift.metadata" + std::to_string(i)).c_str());
        }
    }
}

TEST(MetadataXattr, ReadsAValueThatFillsItsAttribute) {
    const ScratchFolder scratch;
    const std::string path = scratch / "file";
    testing::write_file(path);
    Metadata metadata = example();
    metadata.set("X-Object-Meta-Long", std::string(150000, 'x'));
    const UniqueFd fd(::open(path.c_str(), O_RDONLY));
    const auto written = write_metadata(fd.get(), path, metadata);
    if (!written) GTEST_SKIP() << "this file system holds no large xattrs";
    EXPECT_EQ(*read_metadata(path), metadata);
}

TEST(MetadataXattr, TellsItsErrorsApart) {
    const ScratchFolder scratch;
    const std::string path = scratch / "file";
    EXPECT_EQ(read_metadata(path).error().code, errc::not_found);
    testing::write_file(path);
    EXPECT_EQ(read_metadata(path).error().code, errc::bad_pickle);
    EXPECT_NE(read_metadata(path).error().detail.find("Ran out of input"), std::string::npos);
    EXPECT_EQ(read_metadata("/proc/self/status").error().code, errc::not_mounted);

    const UniqueFd fd(::open(path.c_str(), O_RDONLY));
    ASSERT_TRUE(write_metadata(fd.get(), path, example()));
    ::setxattr(path.c_str(), "user.swift.metadata_checksum", "0", 1, 0);
    EXPECT_EQ(read_metadata(path).error().code, errc::bad_metadata);
    ::removexattr(path.c_str(), "user.swift.metadata_checksum");
    EXPECT_TRUE(read_metadata(path));
    ::setxattr(path.c_str(), "user.swift.metadata", "junk", 4, 0);
    EXPECT_EQ(read_metadata(path).error().code, errc::bad_pickle);
}

}  // namespace
}  // namespace fragmend::swift
