// Finding a place, and making a folder there.
#include "host/demo/scratch.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "host/base/unique_fd.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;

std::string size_text(std::uint64_t bytes) {
    constexpr std::uint64_t in_gibibytes_from = 10ull << 30;
    if (bytes >= in_gibibytes_from) return std::to_string(bytes >> 30) + " GiB";
    return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB";
}

/// Whether Swift's metadata can be stored in the folder. Errors: io.
Result<bool> has_user_attributes(const std::string& folder) {
    const std::string path = folder + "/attributes";
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    // About what a file of an object carries.
    const std::string value(700, 'x');
    const int failed = ::fsetxattr(fd.get(), "user.swift.metadata", value.data(), value.size(), 0);
    const int number = errno;
    ::unlink(path.c_str());
    if (failed == 0) return true;
    if (number == ENOTSUP) return false;
    return error_from_errno(number, "set an extended attribute in " + folder);
}

/// A new folder in `place`, or why not.
Result<std::string> make_in(const std::string& place, const std::string& name,
                            std::uint64_t bytes_needed) {
    struct statvfs device {};
    if (::statvfs(place.c_str(), &device) != 0) return error_from_errno(errno, place);
    const std::uint64_t free_bytes = std::uint64_t{device.f_frsize} * device.f_bavail;
    if (free_bytes < bytes_needed) {
        return Error{errc::no_space, place + " has " + size_text(free_bytes) + " free, and about " +
                                         size_text(bytes_needed) + " are needed"};
    }
    std::string path = place + "/" + name + "-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return error_from_errno(errno, place);
    auto usable = has_user_attributes(path);
    if (usable.has_value() && *usable) return path;
    ::rmdir(path.c_str());
    if (usable.has_error()) return usable.error();
    return Error{errc::bad_config, place +
                                       " is on a file system without user.* extended attributes, "
                                       "which hold Swift's metadata"};
}

}  // namespace

Result<Scratch> Scratch::make(const std::vector<std::string>& places, const std::string& name,
                              std::uint64_t bytes_needed) {
    std::string why;
    for (const std::string& place : places) {
        std::error_code unknown;
        fs::path absolute = fs::absolute(place, unknown).lexically_normal();
        if (!absolute.has_filename() && absolute.has_parent_path() &&
            absolute != absolute.root_path()) {
            absolute = absolute.parent_path();
        }
        auto made = make_in(absolute.string(), name, bytes_needed);
        if (made.has_value()) return Scratch(std::move(made.value()));
        why += "\n  " + made.error().detail;
    }
    return Error{errc::bad_config,
                 "no folder for the cluster:" + why +
                     "\nName another one with --dir (ext4 and XFS have extended attributes, tmpfs "
                     "since Linux 6.6),\nor take fewer --objects or smaller --bytes."};
}

Scratch::Scratch(Scratch&& other) noexcept
    : path_(std::exchange(other.path_, {})), kept_(other.kept_) {}

Scratch::~Scratch() {
    if (path_.empty() || kept_) return;
    std::error_code failed;
    fs::remove_all(path_, failed);
    if (failed) {
        std::fprintf(stderr, "fragmend: %s is left behind: %s\n", path_.c_str(),
                     failed.message().c_str());
    }
}

std::vector<std::string> scratch_places() {
    std::error_code unknown;
    std::vector<std::string> places;
    const fs::path temporary = fs::temp_directory_path(unknown);
    if (!unknown) places.push_back(temporary.string());
    places.emplace_back("/var/tmp");
    places.emplace_back(".");
    return places;
}

Result<void> sync_file_system(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    if (::syncfs(fd.get()) != 0) return error_from_errno(errno, "syncfs " + path);
    return {};
}

}  // namespace fragmend::demo
