// Writes one file of an object so that it is either there, whole and safe, or not there at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/bytes.hpp"
#include "host/base/error.hpp"
#include "host/base/md5.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/disk_context.hpp"
#include "host/swift/disk_options.hpp"
#include "host/swift/metadata.hpp"

namespace fragmend::swift {

/// How files are written on this node.
struct WriteOptions {
    std::int64_t sync_bytes = 512ll << 20;  ///< mb_per_sync; 0 syncs only at the end.
    bool disable_fallocate = false;
    FallocateReserve reserve;
    bool fsync = true;  ///< Off only for benches and throw-away clusters.
};

/// Where a file goes: a hash directory of a device.
struct WritePlace {
    std::string device_path;
    std::string hash_dir_path;
    std::string tmp_dir_name = "tmp";  ///< `tmp` or `tmp-<policy index>`, for file systems without
                                       ///< O_TMPFILE.
    std::string object_path;           ///< `/account/container/object`.
};

/// One file on its way: opened, written, then put in its place or discarded. Blocking; runs on disk
/// threads, one call at a time. Order of a put: metadata, fsync, note in hashes.invalid, link into
/// place, fsync of the directory and of those that were made, cleanup of what became obsolete. A
/// failed fsync ends it: the kernel may have dropped the pages, so nobody tries again with this
/// file. Source: swift.obj.diskfile.BaseDiskFileWriter, ECDiskFileWriter.
class DiskWriter {
  public:
    /// Makes the directories and a file without a name. `bytes` are allocated ahead when known.
    /// `context` outlives the writer. Errors: no_space (also: the reserve is reached), io.
    static Result<DiskWriter> open(const DiskContext& context, WritePlace place,
                                   WriteOptions options, std::optional<std::uint64_t> bytes);
    DiskWriter(DiskWriter&& other) noexcept;
    DiskWriter& operator=(DiskWriter&&) = delete;
    ~DiskWriter();

    /// Errors: no_space, io.
    Result<void> write(ByteView bytes);
    std::uint64_t bytes_written() const { return bytes_written_; }
    /// MD5 hex of all that was written; once, after the last write.
    std::string finish_md5() { return md5_.finish_hex(); }

    /// What a put leaves in the hash directory.
    struct Target {
        std::string name;
        /// A name that the file takes the place of: the same fragment, not durable.
        std::string replaces;
        /// Whether obsolete files go: not while a fragment waits for its commit.
        bool cleanup = true;
    };
    /// Stores `metadata` with the object's name added and puts the file in its place.
    /// Errors: no_space, not_mounted (no xattrs), lock_timeout, io.
    Result<void> put(Metadata metadata, const Target& target);

  private:
    DiskWriter(const DiskContext& context, WritePlace place, WriteOptions options)
        : context_(context), place_(std::move(place)), options_(options) {}
    Result<void> create();
    Result<void> create_named();
    Result<void> allocate(std::uint64_t bytes);
    Result<void> sync_file();
    Result<void> link(const std::string& name);
    Result<void> sync_directories();

    const DiskContext& context_;
    WritePlace place_;
    WriteOptions options_;
    UniqueFd fd_;
    std::string temporary_;  ///< Name of the file while it has one of its own.
    unsigned directories_made_ = 0;
    std::uint64_t bytes_written_ = 0;
    std::uint64_t bytes_synced_ = 0;
    Md5 md5_;
};

/// Makes a fragment durable that lies there already: renames it, syncs, cleans up, and notes the
/// suffix in hashes.invalid, which Swift forgets. Somebody else's newer tombstone or durable set in
/// its place is success. Errors: not_found, no_space, io, lock_timeout.
/// Source: swift.obj.diskfile.ECDiskFileWriter._finalize_durable.
Result<void> commit_fragment(const DiskContext& context, const std::string& hash_dir_path,
                             const Timestamp& timestamp, int fragment_index, bool fsync);

}  // namespace fragmend::swift
