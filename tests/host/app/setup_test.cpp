// What a process knows: whether its rings are others than a moment ago.
#include "host/app/setup.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/host/swift/ring_builder.hpp"
#include "tests/support/temporary_directory.hpp"

namespace fragmend::app {
namespace {

void write_ring(const test::TemporaryDirectory& directory, const std::string& device, int age_h) {
    const auto path = directory.write(
        "object.ring.gz",
        swift::test::gzip(swift::test::v1_bytes(
            R"({"part_shift": 32, "byteorder": "little", "replica_count": 2, "devs": [)"
            R"({"id": 0, "zone": 0, "ip": "127.0.0.1", "port": 6200, "device": ")" +
                device + R"("}]})",
            std::string(4, '\0'))));
    const auto now = std::filesystem::file_time_type::clock::now();
    std::filesystem::last_write_time(path, now - std::chrono::hours(age_h));
}

TEST(Setup, TellsWhetherARingIsAnotherOne) {
    const test::TemporaryDirectory directory;
    write_ring(directory, "d1", 3);
    CommandLine line;
    line.check = true;  // Leaves this process as it is.
    line.conf_path = directory.write("object-server.conf",
                                     "[object-reconstructor]\nswift_dir = " + directory.path());
    line.swift_conf = directory.write(
        "swift.conf",
        "[swift-hash]\nswift_hash_path_suffix = s\n[storage-policy:0]\nname = ec\ndefault = yes\n"
        "policy_type = erasure_coding\nec_type = liberasurecode_rs_vand\n"
        "ec_num_data_fragments = 1\nec_num_parity_fragments = 1\n");
    const auto setup = Setup::make(line);
    ASSERT_TRUE(setup) << to_string(setup.error());
    EXPECT_FALSE((*setup)->refresh_rings());
    write_ring(directory, "d9", 2);
    EXPECT_TRUE((*setup)->refresh_rings());
    EXPECT_EQ((*setup)->local_devices(), std::set<std::string>{"d9"});
    EXPECT_FALSE((*setup)->refresh_rings());
    directory.write("object.ring.gz", "no ring");
    EXPECT_FALSE((*setup)->refresh_rings());
}

}  // namespace
}  // namespace fragmend::app
