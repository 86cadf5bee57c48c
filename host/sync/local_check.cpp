// Re-reading of a local archive.
#include "host/sync/local_check.hpp"

#include <fcntl.h>

#include <vector>

#include "host/base/md5.hpp"
#include "host/swift/local_fragment.hpp"

namespace fragmend::sync {
namespace {

constexpr std::size_t read_bytes = 1 << 20;

}  // namespace

std::optional<std::string> damage_of(const LocalArchive& archive) {
    UniqueFd fd(::open(archive.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid()) return std::nullopt;
    swift::LocalFragmentFile file(std::move(fd), archive.path, archive.archive_bytes);
    std::vector<std::byte> buffer(read_bytes);
    Md5 md5;
    while (true) {
        const auto got = file.read(buffer);
        if (got.has_error() && file.is_unreadable()) return swift::unreadable_reason();
        if (got.has_error()) return std::nullopt;
        md5.update(ByteView(buffer).first(*got));
        if (*got < buffer.size()) break;
    }
    if (file.bytes_read() != archive.archive_bytes) {
        return swift::length_mismatch_reason(file.bytes_read(), archive.archive_bytes);
    }
    const auto found = md5.finish_hex();
    if (found != archive.md5) return swift::etag_mismatch_reason(archive.md5, found);
    return std::nullopt;
}

}  // namespace fragmend::sync
