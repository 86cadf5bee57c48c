// Every kind of damage is found and named.
#include "host/demo/comparison.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>

#include "host/base/unique_fd.hpp"
#include "host/swift/metadata_xattr.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;
using swift::testing::ScratchFolder;

class CompareDevices : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const std::string& device : {was_, is_}) {
            for (int i = 0; i < 5; ++i)
                add(device, name(i), std::string(300'000 + static_cast<std::size_t>(i), 'x'),
                    {{"X-Timestamp", "0000000001.00000"}, {"ETag", "e" + std::to_string(i)}});
        }
    }

    static std::string name(int number) {
        return "1/abc/" + std::string(31, '0') + std::to_string(number) +
               "/0000000001.00000#0#d.data";
    }
    std::string path(const std::string& device, const std::string& name) const {
        return device + "/objects/" + name;
    }

    void add(const std::string& device, const std::string& name, const std::string& bytes,
             const std::vector<std::pair<std::string, std::string>>& items) const {
        const fs::path file = path(device, name);
        fs::create_directories(file.parent_path());
        std::ofstream(file) << bytes;
        swift::Metadata metadata;
        for (const auto& [key, value] : items)
            metadata.set(key, value);
        const UniqueFd fd(::open(file.c_str(), O_RDWR));
        ASSERT_TRUE(swift::write_metadata(fd.get(), file, metadata).has_value());
    }

    Comparison compare() const { return compare_devices(was_, is_, "objects").value(); }

    void expect_named(const Comparison& found, std::string_view text) const {
        EXPECT_FALSE(found.is_equal());
        ASSERT_EQ(found.differences.size(), 1u);
        EXPECT_NE(found.differences[0].find(text), std::string::npos) << found.differences[0];
        EXPECT_TRUE(found.differences[0].starts_with("1/abc/")) << found.differences[0];
    }

    ScratchFolder scratch_;
    std::string was_ = scratch_ / "was";
    std::string is_ = scratch_ / "is";
};

TEST_F(CompareDevices, TakesEqualOnesForEqualWhateverElseLiesThere) {
    std::ofstream(path(is_, "1/hashes.pkl")) << "theirs";
    std::ofstream(path(is_, "1/.lock"));
    const auto found = compare();
    EXPECT_TRUE(found.is_equal());
    EXPECT_EQ(found.files, 5u);
    EXPECT_EQ(found.bytes, 5 * 300'000u + 10u);
    EXPECT_TRUE(found.differences.empty());
}

TEST_F(CompareDevices, FindsOneChangedByte) {
    std::fstream file(path(is_, name(2)), std::ios::in | std::ios::out);
    file.seekp(299'000);
    file.put('y');
    file.close();
    const auto found = compare();
    expect_named(found, "differs at byte 299000");
    EXPECT_EQ(found.different, 1u);
    EXPECT_FALSE(found.is_part());
}

TEST_F(CompareDevices, FindsCutAndLongFiles) {
    fs::resize_file(path(is_, name(0)), 262'144);
    expect_named(compare(), "too short, it ends at byte 262144");
    fs::resize_file(path(is_, name(0)), 300'000);
    std::ofstream(path(is_, name(0)), std::ios::in | std::ios::out) << std::string(300'000, 'x');
    EXPECT_TRUE(compare().is_equal());
    std::ofstream(path(is_, name(0)), std::ios::app) << "x";
    expect_named(compare(), "too long, it ended at byte 300000");
}

TEST_F(CompareDevices, FindsMissingAndAdditionalFiles) {
    fs::remove(path(is_, name(4)));
    auto found = compare();
    expect_named(found, "missing");
    EXPECT_EQ(found.missing, 1u);
    EXPECT_TRUE(found.is_part());
    add(is_, name(4), std::string(300'004, 'x'),
        {{"ETag", "e4"}, {"X-Timestamp", "0000000001.00000"}});
    EXPECT_TRUE(compare().is_equal());  // The order of metadata says nothing.
    add(is_, name(7), "", {{"ETag", "e7"}});
    found = compare();
    expect_named(found, "not there before");
    EXPECT_EQ(found.extra, 1u);
    EXPECT_FALSE(found.is_part());
}

TEST_F(CompareDevices, FindsOtherMetadata) {
    const std::string body(300'001, 'x');
    add(is_, name(1), body, {{"X-Timestamp", "0000000001.00000"}, {"ETag", "other"}});
    expect_named(compare(), "say ETag: other and said e1");
    add(is_, name(1), body, {{"X-Timestamp", "0000000001.00000"}});
    expect_named(compare(), "lack ETag");
    add(is_, name(1), body,
        {{"X-Timestamp", "0000000001.00000"}, {"ETag", "e1"}, {"X-Object-Meta-A", "b"}});
    expect_named(compare(), "X-Object-Meta-A in addition");
    ASSERT_EQ(::removexattr(path(is_, name(1)).c_str(), "user.swift.metadata"), 0);
    expect_named(compare(), "metadata cannot be read");
}

TEST_F(CompareDevices, CountsAllAndKeepsOnlySoManyLines) {
    fs::remove_all(is_);
    for (int i = 0; i < 70; ++i)
        add(was_, "2/abd/" + std::string(30, '1') + std::to_string(10 + i) + "/x.ts", "",
            {{"X-Timestamp", "0000000001.00000"}});
    const auto found = compare();
    EXPECT_EQ(found.missing, 75u);
    EXPECT_EQ(found.differences.size(), differences_kept_max);
}

TEST_F(CompareDevices, IsEqualWhereNothingEverWas) {
    const auto found = compare_devices(scratch_ / "none", scratch_ / "neither", "objects");
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->is_equal());
}

TEST_F(CompareDevices, CensusNoticesEveryTouch) {
    const auto before = take_census(is_, "objects").value();
    EXPECT_EQ(before.size(), 5u);
    EXPECT_TRUE(changes_between(before, take_census(is_, "objects").value()).empty());
    ASSERT_EQ(::setxattr(path(is_, name(0)).c_str(), "user.more", "x", 1, 0), 0);
    fs::remove(path(is_, name(1)));
    add(is_, name(8), "", {{"ETag", ""}});
    const auto changes = changes_between(before, take_census(is_, "objects").value());
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_NE(changes[0].find("written to"), std::string::npos);
    EXPECT_NE(changes[1].find("gone"), std::string::npos);
    EXPECT_NE(changes[2].find("new"), std::string::npos);
}

}  // namespace
}  // namespace fragmend::demo
