// Opening, attributes, and reads that may fail.
#include "host/app/archive_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "host/base/unique_fd.hpp"
#include "host/swift/metadata_xattr.hpp"

namespace fragmend::app {
namespace {

Result<void> read_at(int fd, std::uint64_t at, ByteSpan into) {
    while (!into.empty()) {
        const ssize_t count = ::pread(fd, into.data(), into.size(), static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return error_from_errno(errno, "cannot read byte " + std::to_string(at));
        if (count == 0) {
            return Error{errc::io, "it ends at byte " + std::to_string(at) +
                                       ", and was longer when it was opened"};
        }
        at += static_cast<std::uint64_t>(count);
        into = into.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

std::optional<Md5Digest> digest_of_hex(std::string_view hex) {
    Md5Digest digest;
    if (!is_lower_hex(hex, 2 * digest.size())) return std::nullopt;
    for (std::size_t i = 0; i < hex.size(); ++i) {
        const char c = hex[i];
        const auto nibble = static_cast<std::byte>(c <= '9' ? c - '0' : c - 'a' + 10);
        digest[i / 2] = i % 2 == 0 ? nibble << 4 : digest[i / 2] | nibble;
    }
    return digest;
}

/// What Swift's attributes say. Errors: they are there, but are not to be relied on.
Result<void> take_attributes(int fd, int n, codec::ArchiveSource& source) {
    const auto any = swift::has_metadata(fd, source.name);
    if (!any) return any.error();
    if (!*any) return {};
    const auto metadata = swift::read_metadata(fd, source.name);
    if (!metadata) return metadata.error();
    if (const auto etag = metadata->text("ETag")) {
        source.md5 = digest_of_hex(*etag);
        if (!source.md5) return Error{errc::bad_metadata, "ETag is no MD5: " + *etag};
    }
    const auto object_etag = metadata->text("X-Object-Sysmeta-Ec-Etag");
    const auto timestamp = metadata->text("X-Timestamp");
    if (object_etag && timestamp) {
        source.object = *timestamp + " " + *object_etag;
    }
    if (const auto text = metadata->text("X-Object-Sysmeta-Ec-Frag-Index")) {
        const auto index = parse_digits(*text);
        if (!index || *index >= static_cast<std::uint64_t>(n)) {
            return Error{errc::bad_metadata, "no fragment of the policy: " + *text};
        }
        source.index = static_cast<std::uint8_t>(*index);
    }
    return {};
}

}  // namespace

codec::ArchiveSource open_archive(const std::string& path, int n) {
    codec::ArchiveSource source{path, {}, std::nullopt};
    // Without O_NONBLOCK a pipe would be waited for.
    const auto file = std::make_shared<UniqueFd>(
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat info {};
    if (!file->valid() || ::fstat(file->get(), &info) != 0) {
        source.unusable = {error_from_errno(errno, "cannot open it").detail, false};
    } else if (!S_ISREG(info.st_mode)) {
        source.unusable = {"it is not a regular file", false};
    } else if (auto taken = take_attributes(file->get(), n, source); !taken) {
        source.unusable = {"its attributes are damaged: " + taken.error().detail, true};
    } else {
        source.bytes = {
            static_cast<std::uint64_t>(info.st_size),
            [file](std::uint64_t at, ByteSpan into) { return read_at(file->get(), at, into); }};
    }
    return source;
}

}  // namespace fragmend::app
