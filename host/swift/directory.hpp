// Opening and listing directories with the fewest system calls.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/unique_fd.hpp"

namespace fragmend::swift {

/// Of directories that are made, less the umask.
inline constexpr mode_t directory_mode = 0777;

/// What the operating system said: callers tell ENOENT, ENOTDIR and ENODATA apart.
struct SystemError {
    int number = 0;
};
template <typename T>
using SystemResult = boost::system::result<T, SystemError>;
[[noreturn]] void throw_exception_from_error(const SystemError& error,
                                             const boost::source_location& where);

/// An open directory and the names in it, in the order of the file system, without `.` and `..`.
struct Directory {
    UniqueFd fd;
    std::vector<std::string> names;
};

/// The names in an open directory, without `.` and `..`; once for each descriptor.
SystemResult<std::vector<std::string>> read_names(int directory_fd);

/// Opens `name` below the directory `parent_fd` (AT_FDCWD for a path) and lists it.
SystemResult<Directory> read_directory(int parent_fd, const std::string& name);

/// True for a directory, or a link to one.
bool is_directory(const std::string& path);

/// Makes `path` and what is missing above it. Errors: io, no_space.
Result<void> make_directories(const std::string& path);

/// Flushes the entries of a directory. A failure is not an error to callers, as in Swift.
void sync_directory(const std::string& path);

/// The part before the last slash, and the part after it.
std::string parent_of(const std::string& path);
std::string base_name_of(const std::string& path);

/// Three lower-case hex digits.
bool is_suffix_name(std::string_view name);
inline constexpr std::uint16_t suffixes_max = 4096;
/// The number of a suffix, below `suffixes_max`; `suffixes_max` for what is no suffix name.
std::uint16_t suffix_number(std::string_view name);

}  // namespace fragmend::swift
