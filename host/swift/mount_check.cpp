// Mount points by comparing a directory with its parent.
#include "host/swift/mount_check.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "host/swift/directory.hpp"

namespace fragmend::swift {
namespace {

bool has_mount_stub(const std::string& path) {
    struct stat status {};
    return ::stat((path + "/.ismount").c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_unquoted(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '-' || c == '~';
}

}  // namespace

bool is_device_name(std::string_view device) {
    return !device.empty() && device != "." && device != ".." &&
           std::all_of(device.begin(), device.end(), is_unquoted);
}

bool is_mount_point(const std::string& path) {
    struct stat own {};
    if (::lstat(path.c_str(), &own) != 0) return false;
    if (S_ISLNK(own.st_mode)) return has_mount_stub(path);
    struct stat parent {};
    if (::lstat((path + "/..").c_str(), &parent) != 0) return false;
    return own.st_dev != parent.st_dev || own.st_ino == parent.st_ino || has_mount_stub(path);
}

Result<void> check_device(const DiskContext& context, std::string_view device) {
    if (!is_device_name(device)) {
        return Error{errc::not_mounted, std::string(device) + " is not a valid drive name"};
    }
    const std::string path = context.device_path(device);
    if (context.mount_check) {
        if (!is_mount_point(path)) return Error{errc::not_mounted, path + " is not mounted"};
    } else if (!is_directory(path)) {
        return Error{errc::not_mounted, path + " is not a directory"};
    }
    return {};
}

}  // namespace fragmend::swift
