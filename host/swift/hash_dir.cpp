// Cleanup on access.
#include "host/swift/hash_dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

namespace fragmend::swift {
namespace {

constexpr std::int64_t raw_per_second = 100000;
constexpr std::int64_t nanoseconds_per_raw = 10000;

void log_unexpected(const DiskContext& context, const HashDirPlace& place,
                    const OndiskFiles& files) {
    for (const auto& name : files.unexpected) {
        const std::string path = place.path() + "/" + name;
        if (is_rsync_temp_name(name)) {
            context.logger.debug("Rsync tempfile: " + path);
            continue;
        }
        const auto parsed = parse_ondisk_name(name, context.fragment_count);
        const auto why = parsed ? std::string("Bad fragment index") : parsed.error().detail;
        context.logger.warning("Unexpected file " + path + ": " + why);
    }
}

/// Removes `name` from the directory and from what is listed as remaining.
void remove_file(HashDir& dir, int fd, const std::string& name) {
    ::unlinkat(fd, name.c_str(), 0);
    const auto found = std::find(dir.names.begin(), dir.names.end(), name);
    if (found != dir.names.end()) dir.names.erase(found);
}

double nanoseconds_since(const DiskContext& context, std::int64_t seconds,
                         std::int64_t nanoseconds) {
    const std::int64_t then_ns = seconds * 1'000'000'000 + nanoseconds;
    const std::int64_t now_ns = context.clock->now().raw * nanoseconds_per_raw;
    return static_cast<double>(now_ns - then_ns);
}

bool may_reclaim(const DiskContext& context, int fd, const OndiskFile& file) {
    if (!is_reclaimable(context, file.timestamp())) return false;
    const bool needs_window = file.parsed.kind == OndiskKind::data && !file.parsed.durable;
    return !needs_window || is_file_older(context, fd, file.name, context.commit_window_s);
}

}  // namespace

bool is_reclaimable(const DiskContext& context, const Timestamp& timestamp) {
    return context.clock->now().raw - timestamp.raw > context.reclaim_age_s * raw_per_second;
}

bool is_file_older(const DiskContext& context, int parent_fd, const std::string& name,
                   double age_s) {
    if (age_s <= 0) return true;
    struct stat status {};
    if (::fstatat(parent_fd, name.c_str(), &status, 0) != 0) return false;
    return nanoseconds_since(context, status.st_mtim.tv_sec, status.st_mtim.tv_nsec) > age_s * 1e9;
}

bool is_just_made(const DiskContext& context, int fd) {
    struct statx status {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &status) != 0) return false;
    if ((status.stx_mask & STATX_BTIME) == 0) return false;
    const auto& made = status.stx_btime;
    const auto& changed = status.stx_mtime;
    if (made.tv_sec != changed.tv_sec || made.tv_nsec != changed.tv_nsec) return false;
    const double age_ns = nanoseconds_since(context, made.tv_sec, made.tv_nsec);
    return age_ns >= 0 && age_ns < unused_directory_grace_s * 1e9;
}

SystemResult<Directory> read_hash_dir(const HashDirPlace& place) {
    const bool by_path = place.parent_fd == AT_FDCWD;
    auto directory = read_directory(place.parent_fd, by_path ? place.path() : place.name);
    if (!directory) return directory;
    std::sort(directory->names.begin(), directory->names.end(), std::greater<>());
    return directory;
}

SystemResult<HashDir> cleanup_hash_dir(const DiskContext& context, const HashDirPlace& place,
                                       const SelectionOptions& options) {
    HashDir dir;
    auto directory = read_hash_dir(place);
    if (!directory) {
        if (directory.error().number == ENOENT) return dir;
        return directory.error();
    }
    const int fd = directory->fd.get();
    dir.is_just_made = directory->names.empty() && is_just_made(context, fd);
    if (dir.is_just_made) return dir;
    SelectionOptions selection = options;
    if (context.has_whole_objects()) selection.fragment_count = no_fragments;
    dir.files = select_ondisk_files(directory->names, selection);
    dir.names = std::move(directory->names);
    if (!dir.files.unexpected.empty()) log_unexpected(context, place, dir.files);
    if (dir.files.tombstone && is_reclaimable(context, dir.files.tombstone->timestamp())) {
        remove_file(dir, fd, dir.files.tombstone->name);
        dir.files.tombstone.reset();
    }
    for (const auto& file : dir.files.possible_reclaim) {
        if (may_reclaim(context, fd, file)) dir.files.obsolete.push_back(file);
    }
    for (const auto& file : dir.files.obsolete)
        remove_file(dir, fd, file.name);
    if (dir.names.empty()) {
        const bool by_path = place.parent_fd == AT_FDCWD;
        const std::string name = by_path ? place.path() : place.name;
        if (::unlinkat(place.parent_fd, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT &&
            errno != ENOTEMPTY) {
            context.logger.debug("Error cleaning up empty hash directory " + place.path() + ": " +
                                 std::strerror(errno));
        }
    }
    return dir;
}

}  // namespace fragmend::swift
