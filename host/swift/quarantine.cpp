// Renames into the quarantine of a device.
#include "host/swift/quarantine.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_file.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t suffix_name_length = 3;

/// 32 hex digits of a random UUID.
std::string random_uuid_hex() {
    std::array<std::byte, 16> bytes{};
    FRAGMEND_ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == ssize_t{16});
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return to_hex(bytes);
}

/// Renames after making what is missing above `to`; returns errno, 0 for success.
int rename_making_directories(const std::string& from, const std::string& to) {
    if (!make_directories(parent_of(to))) return EIO;
    return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

bool name_is_taken(int number) {
    return number == EEXIST || number == ENOTEMPTY || number == EISDIR || number == ENOTDIR;
}

}  // namespace

Result<std::string> quarantine_directory(const DiskContext& context, const std::string& device_path,
                                         const std::string& from_dir) {
    const std::string name = base_name_of(from_dir);
    const bool whole_suffix = name.size() == suffix_name_length;
    const std::string suffix_path = whole_suffix ? from_dir : parent_of(from_dir);
    const auto invalidate = [&suffix_path] {
        return invalidate_suffix(parent_of(suffix_path), base_name_of(suffix_path));
    };
    const auto before = invalidate();
    if (!before) return before.error();
    std::string to = device_path + "/quarantined/" + context.data_dir_name + "/" + name;
    int number = rename_making_directories(from_dir, to);
    if (name_is_taken(number)) {
        to += "-" + random_uuid_hex();
        number = rename_making_directories(from_dir, to);
    }
    if (number != 0) return error_from_errno(number, "quarantine " + from_dir);
    // Swift leaves it at the first one: whoever hashed in between would keep a hash of what is
    // gone.
    const auto after = invalidate();
    if (!after) context.logger.warning(suffix_path + ": " + to_string(after.error()));
    return to;
}

Error quarantine_object(const DiskContext& context, const std::string& device_path,
                        const std::string& file_path, std::string_view reason) {
    const auto moved = quarantine_directory(context, device_path, parent_of(file_path));
    if (!moved) return moved.error();
    context.logger.warning("Quarantined object " + file_path + ": " + std::string(reason));
    if (context.quarantine_count != nullptr) ++*context.quarantine_count;
    return {errc::quarantined, std::string(reason)};
}

Result<std::string> quarantine_unlistable(const DiskContext& context,
                                          const std::string& device_path,
                                          const std::string& hash_dir_path, int errno_number) {
    if (errno_number != ENOTDIR && errno_number != ENODATA) {
        return error_from_errno(errno_number, "list " + hash_dir_path);
    }
    std::string from = hash_dir_path;
    auto moved = quarantine_directory(context, device_path, from);
    if (!moved && errno_number == ENODATA) {
        from = parent_of(hash_dir_path);
        moved = quarantine_directory(context, device_path, from);
    }
    if (!moved) return moved.error();
    context.logger.error(
        "Quarantined " + from + " to " + *moved + " because " +
        (errno_number == ENOTDIR ? "it is not a directory" : "it could not be listed"));
    return from;
}

}  // namespace fragmend::swift
