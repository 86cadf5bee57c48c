// Chunks and checksum of stored metadata.
#include "host/swift/metadata_xattr.hpp"

#include <sys/xattr.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "host/base/md5.hpp"

namespace fragmend::swift {
namespace {

constexpr const char* metadata_attribute = "user.swift.metadata";
constexpr const char* checksum_attribute = "user.swift.metadata_checksum";
constexpr std::size_t chunk_count_max = 256;

std::string chunk_attribute(std::size_t chunk) {
    return chunk == 0 ? metadata_attribute : metadata_attribute + std::to_string(chunk);
}

/// A file to read attributes from, by descriptor or by path.
struct Source {
    int fd;
    const std::string& path;

    ssize_t get(const char* name, void* into, std::size_t size) const {
        return fd >= 0 ? ::fgetxattr(fd, name, into, size)
                       : ::getxattr(path.c_str(), name, into, size);
    }
};

Error xattr_error(int number, const std::string& path) {
    if (number == ENOTSUP) {
        return {errc::not_mounted, "Filesystem at " + path + " does not support xattr"};
    }
    return error_from_errno(number, "xattrs of " + path);
}

/// Appends one attribute's value to `out`; false when the attribute is absent.
Result<bool> append_attribute(const Source& source, const char* name, std::string& out) {
    char small[4096];
    ssize_t length = source.get(name, small, sizeof small);
    if (length >= 0) {
        out.append(small, static_cast<std::size_t>(length));
        return true;
    }
    if (errno == ERANGE) {
        const std::size_t before = out.size();
        out.resize(before + xattr_chunk_bytes);
        length = source.get(name, out.data() + before, xattr_chunk_bytes);
        out.resize(before + static_cast<std::size_t>(length < 0 ? 0 : length));
        if (length >= 0) return true;
    }
    if (errno == ENODATA) return false;
    return xattr_error(errno, source.path);
}

Result<Metadata> read_from(const Source& source) {
    std::string pickle;
    for (std::size_t chunk = 0; chunk < chunk_count_max; ++chunk) {
        const auto present = append_attribute(source, chunk_attribute(chunk).c_str(), pickle);
        if (!present) return present.error();
        if (!*present) break;
    }
    std::string stored_checksum;
    const auto present = append_attribute(source, checksum_attribute, stored_checksum);
    if (!present) return present.error();
    if (!stored_checksum.empty()) {
        const auto computed = md5_hex(pickle);
        if (stored_checksum != computed) {
            return Error{errc::bad_metadata, "Metadata checksum mismatch for " + source.path +
                                                 ": stored checksum='" + stored_checksum +
                                                 "', computed='" + computed + "'"};
        }
    }
    auto metadata = decode_metadata(pickle);
    if (!metadata) {
        const auto why = pickle.empty() ? "Ran out of input" : metadata.error().detail;
        return Error{metadata.error().code,
                     "Exception reading metadata: " + why + " (" + source.path + ")"};
    }
    return metadata;
}

Result<void> set_attribute(int fd, const std::string& path, const std::string& name,
                           std::string_view value) {
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) {
        return xattr_error(errno, path);
    }
    return {};
}

}  // namespace

Result<Metadata> read_metadata(int fd, const std::string& path) {
    return read_from({fd, path});
}

Result<Metadata> read_metadata(const std::string& path) {
    return read_from({-1, path});
}

Result<bool> has_metadata(int fd, const std::string& path) {
    for (const char* name : {metadata_attribute, checksum_attribute}) {
        if (::fgetxattr(fd, name, nullptr, 0) >= 0) return true;
        if (errno != ENODATA && errno != ENOTSUP) return xattr_error(errno, path);
    }
    return false;
}

Result<void> write_metadata(int fd, const std::string& path, const Metadata& metadata,
                            std::size_t chunk_bytes) {
    const std::string pickle = encode_metadata(metadata);
    const std::string_view all = pickle;
    for (std::size_t at = 0, chunk = 0; at < all.size(); at += chunk_bytes, ++chunk) {
        const auto stored =
            set_attribute(fd, path, chunk_attribute(chunk), all.substr(at, chunk_bytes));
        if (!stored) return stored;
    }
    return set_attribute(fd, path, checksum_attribute, md5_hex(pickle));
}

}  // namespace fragmend::swift
