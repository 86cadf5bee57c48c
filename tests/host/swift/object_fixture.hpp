// Objects on a scratch disk, as a Swift server would have stored them.
#pragma once

#include <fcntl.h>

#include "host/swift/diskfile.hpp"
#include "host/swift/metadata_xattr.hpp"
#include "tests/host/swift/disk_fixture.hpp"

namespace fragmend::swift::testing {

struct ObjectFixture : DiskFixture {
    const std::string path = "/a/c/o";
    const std::string hash = object_hash_of(context, path);
    const std::string suffix = hash.substr(29);
    const std::string hash_dir = partition_path() + "/" + suffix + "/" + hash;
    const Timestamp data_time = ago(1000);

    Metadata data_metadata(std::size_t length, int index = 2) const {
        Metadata metadata;
        metadata.set("X-Timestamp", data_time.internal());
        metadata.set("Content-Type", "text/plain");
        metadata.set("Content-Length", std::to_string(length));
        metadata.set("ETag", std::string(32, '0'));
        metadata.set("X-Object-Sysmeta-Ec-Frag-Index", std::to_string(index));
        metadata.set("name", path);
        return metadata;
    }
    Metadata meta_metadata(const Timestamp& time) const {
        Metadata metadata;
        metadata.set("X-Timestamp", time.internal());
        metadata.set("X-Object-Meta-Color", "blue");
        metadata.set("name", path);
        return metadata;
    }
    void put(const std::string& name, std::string_view bytes, const Metadata& metadata) const {
        const std::string file = hash_dir + "/" + name;
        write_file(file, bytes);
        const UniqueFd fd(::open(file.c_str(), O_RDONLY));
        ASSERT_TRUE(write_metadata(fd.get(), file, metadata));
    }
    void put_data(bool durable = true, std::string_view bytes = "fragment", int index = 2) const {
        put(data_file_name(data_time, index, durable), bytes, data_metadata(bytes.size(), index));
    }
    void put_tombstone(const Timestamp& time) const {
        Metadata metadata;
        metadata.set("X-Timestamp", time.internal());
        metadata.set("name", path);
        put(tombstone_file_name(time), {}, metadata);
    }
    bool has(const std::string& name) const { return fs::exists(hash_dir + "/" + name); }
    Result<OpenObject> open(const OpenOptions& options = {}) const {
        return open_object(context, "d1", "7", hash, options);
    }
};

}  // namespace fragmend::swift::testing
