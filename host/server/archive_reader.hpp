// Reads an archive for a client, and looks at it while it passes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/base/bytes.hpp"
#include "host/base/md5.hpp"
#include "host/server/policy_store.hpp"
#include "host/server/ranges.hpp"
#include "host/swift/diskfile.hpp"

namespace fragmend::server {

/// A blocking reader over an opened object, range by range. What starts at byte 0 is checked as it
/// passes: every whole fragment, and at the end of the file its MD5. Damage is quarantined with
/// Swift's reasons, and unlike there the piece in which it shows is not handed out: a client gets a
/// short answer rather than a wrong one. Runs on disk threads, one call at a time.
/// Source: swift.obj.diskfile.BaseDiskFileReader, ECDiskFileReader.
class ArchiveReader {
  public:
    struct Options {
        std::size_t piece_bytes = 65536;  ///< disk_chunk_size.
        bool keep_cache = false;
        bool checks = true;  ///< Off for a reader that does it itself.
    };
    /// `store` and `audit` (which may be null) outlive the reader.
    ArchiveReader(const PolicyStore& store, const FragmentAudit* audit, std::string device_path,
                  swift::OpenObject object, Options options);

    /// The next reads are of this range, which lies within the object.
    void start(ByteRange range);
    /// The next piece of the range, empty at its end; valid until the next call.
    /// Errors: quarantined, io.
    Result<ByteView> next();
    /// Sends what `socket`, which does not block, takes of the range, unchecked and without a copy;
    /// not all of it, or nothing, when the socket is full. Only where `may_send`.
    /// Returns bytes. Errors: quarantined, io; disconnected for the socket.
    Result<std::uint64_t> send(int socket);
    /// The reader checks what it gets, and it is too much for one piece.
    bool may_send() const { return !checks_ && range_.bytes() > buffer_.size(); }
    bool at_end() const { return position_ == range_.end; }

    const swift::OpenObject& object() const { return object_; }

  private:
    Result<void> check(ByteView piece);
    Result<void> check_end();
    Error quarantine(std::string_view reason);
    void drop_cache(bool all);

    const PolicyStore& store_;
    const FragmentAudit* audit_;
    std::string device_path_;
    swift::OpenObject object_;
    Options options_;
    std::vector<std::byte> buffer_;
    ByteRange range_;
    std::uint64_t position_ = 0;
    std::uint64_t cached_from_ = 0;  ///< Not yet dropped from the page cache.
    bool checks_ = false;
    Md5 md5_;
    std::vector<std::byte> fragment_;  ///< The part of a fragment that came so far.
    std::uint64_t fragment_at_ = 0;    ///< Where that fragment begins.
};

}  // namespace fragmend::server
