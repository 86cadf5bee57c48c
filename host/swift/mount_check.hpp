// Is the device really there? Nothing may be read or written below a missing mount.
#pragma once

#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/disk_context.hpp"

namespace fragmend::swift {

/// Letters, digits and `_.-~` only, and not `.` or `..`: what URL quoting leaves unchanged.
bool is_device_name(std::string_view device);

/// True for a mount point, or where an `.ismount` file says so.
/// Source: swift.common.utils.ismount.
bool is_mount_point(const std::string& path);

/// Checks the device's name and that it is mounted (`mount_check`) or at least a directory.
/// Errors: not_mounted, with Swift's text.
/// Source: swift.common.constraints.check_drive.
Result<void> check_device(const DiskContext& context, std::string_view device);

}  // namespace fragmend::swift
