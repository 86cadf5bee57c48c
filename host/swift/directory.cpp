// Directory reading by getdents64 into a buffer on the stack.
#include "host/swift/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace fragmend::swift {
namespace {

/// Of lower-case digits; other characters have bits above them.
constexpr std::array<std::uint8_t, 256> hex_values = [] {
    std::array<std::uint8_t, 256> values;
    values.fill(0xff);
    for (std::uint8_t i = 0; i < 16; ++i)
        values[static_cast<unsigned char>("0123456789abcdef"[i])] = i;
    return values;
}();

constexpr std::size_t listing_buffer_bytes = 32768;
/// An entry with a name of up to four characters, as a suffix has.
constexpr std::size_t entry_bytes_least = 24;

bool is_dot_entry(const char* name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace

void throw_exception_from_error(const SystemError& error, const boost::source_location&) {
    throw std::runtime_error(std::strerror(error.number));
}

SystemResult<std::vector<std::string>> read_names(int directory_fd) {
    std::vector<std::string> names;
    alignas(dirent64) char buffer[listing_buffer_bytes];
    for (;;) {
        const ssize_t filled = ::getdents64(directory_fd, buffer, sizeof buffer);
        if (filled < 0) return SystemError{errno};
        if (filled == 0) return names;
        if (names.empty()) names.reserve(static_cast<std::size_t>(filled) / entry_bytes_least);
        for (ssize_t at = 0; at < filled;) {
            const char* entry = buffer + at;
            unsigned short length = 0;
            std::memcpy(&length, entry + offsetof(dirent64, d_reclen), sizeof length);
            const char* entry_name = entry + offsetof(dirent64, d_name);
            if (!is_dot_entry(entry_name)) names.emplace_back(entry_name);
            at += length;
        }
    }
}

SystemResult<Directory> read_directory(int parent_fd, const std::string& name) {
    Directory directory;
    directory.fd.reset(
        ::openat(parent_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    if (!directory.fd.valid()) return SystemError{errno};
    auto names = read_names(directory.fd.get());
    if (!names) return names.error();
    directory.names = std::move(*names);
    return directory;
}

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<void> make_directories(const std::string& path) {
    if (is_directory(path)) return {};
    if (::mkdir(path.c_str(), directory_mode) == 0) return {};
    if (errno == ENOENT) {
        const auto above = make_directories(parent_of(path));
        if (!above) return above;
        if (::mkdir(path.c_str(), directory_mode) == 0) return {};
    }
    const int number = errno;
    if (number == EEXIST && is_directory(path)) return {};
    return error_from_errno(number, "mkdir " + path);
}

void sync_directory(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) ::fsync(fd.get());
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_suffix_name(std::string_view name) {
    return suffix_number(name) != suffixes_max;
}

std::uint16_t suffix_number(std::string_view name) {
    if (name.size() != 3) return suffixes_max;
    const auto digit = [name](std::size_t at) {
        return hex_values[static_cast<unsigned char>(name[at])];
    };
    const unsigned first = digit(0), second = digit(1), third = digit(2);
    if ((first | second | third) > 0xf) return suffixes_max;
    return static_cast<std::uint16_t>(first << 8 | second << 4 | third);
}

}  // namespace fragmend::swift
