// Re-reading and quarantining of a damaged local archive.
#include "host/sync/local_check.hpp"

#include <fcntl.h>

#include <vector>

#include "host/base/md5.hpp"
#include "host/swift/local_fragment.hpp"
#include "host/swift/quarantine.hpp"

namespace fragmend::sync {
namespace {

constexpr std::size_t read_bytes = 1 << 20;

}  // namespace

bool quarantine_if_damaged(const swift::DiskContext& disk, const std::string& device,
                           const LocalArchive& archive) {
    UniqueFd fd(::open(archive.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid()) return false;
    swift::LocalFragmentFile file(std::move(fd), archive.path, archive.archive_bytes);
    std::vector<std::byte> buffer(read_bytes);
    Md5 md5;
    while (true) {
        const auto got = file.read(buffer);
        if (got.has_error()) return false;
        md5.update(ByteView(buffer).first(*got));
        if (*got < buffer.size()) break;
    }
    std::string reason;
    if (file.bytes_read() != archive.archive_bytes) {
        reason = swift::length_mismatch_reason(file.bytes_read(), archive.archive_bytes);
    } else if (const auto found = md5.finish_hex(); found != archive.md5) {
        reason = swift::etag_mismatch_reason(archive.md5, found);
    } else {
        return false;
    }
    static_cast<void>(
        swift::quarantine_object(disk, disk.device_path(device), archive.path, reason));
    return true;
}

}  // namespace fragmend::sync
