// One whole small file with the time of its last change.
#include "host/swift/file_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace fragmend::swift {
namespace {

std::int64_t mtime_ns_of(const struct stat& status) {
    return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
           status.st_mtim.tv_nsec;
}

Result<FileBytes> read_descriptor(int descriptor, const std::string& path, std::size_t bytes_max) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return error_from_errno(errno, path);
    FileBytes file;
    file.mtime_ns = mtime_ns_of(status);
    constexpr std::size_t step = 1 << 16;
    while (true) {
        const std::size_t have = file.bytes.size();
        file.bytes.resize(have + step);
        const ssize_t got = ::read(descriptor, file.bytes.data() + have, step);
        if (got < 0 && errno == EINTR) {
            file.bytes.resize(have);
            continue;
        }
        if (got < 0) return error_from_errno(errno, path);
        file.bytes.resize(have + static_cast<std::size_t>(got));
        if (got == 0) return file;
        if (file.bytes.size() > bytes_max) {
            return Error{errc::limit,
                         path + ": larger than " + std::to_string(bytes_max) + " bytes"};
        }
    }
}

}  // namespace

Result<FileBytes> read_file(const std::string& path, std::size_t bytes_max) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return error_from_errno(errno, path);
    auto result = read_descriptor(descriptor, path, bytes_max);
    ::close(descriptor);
    return result;
}

Result<std::int64_t> file_mtime_ns(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return error_from_errno(errno, path);
    return mtime_ns_of(status);
}

}  // namespace fragmend::swift
