// Reading and writing the hash files of a partition.
#include "host/swift/hashes_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/locks.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t read_step_bytes = 32768;
constexpr std::size_t hash_file_bytes_max = std::size_t{64} << 20;
constexpr mode_t invalid_file_mode = 0666;

/// A whole file of bounded size. Errors: not_found, io, limit.
Result<std::string> read_whole_file(int directory_fd, const std::string& path) {
    const UniqueFd fd(::openat(directory_fd, path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    std::string bytes;
    char step[read_step_bytes];
    for (;;) {
        if (bytes.size() > hash_file_bytes_max) return Error{errc::limit, path + " is too large"};
        const ssize_t got = ::read(fd.get(), step, sizeof step);
        if (got == 0) return bytes;
        if (got > 0) {
            bytes.append(step, static_cast<std::size_t>(got));
            // Nobody writes to a hash file in place, so less than asked for was the rest.
            if (static_cast<std::size_t>(got) < sizeof step) return bytes;
        } else if (errno != EINTR) {
            return error_from_errno(errno, "read " + path);
        }
    }
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return error_from_errno(errno, "write " + path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> write_synced(int fd, std::string_view bytes, const std::string& path) {
    const auto written = write_all(fd, bytes, path);
    if (!written) return written;
    if (::fsync(fd) != 0) return error_from_errno(errno, "fsync " + path);
    return {};
}

constexpr const char* hashes_name = "hashes.pkl";

std::string hashes_path(const std::string& partition_path) {
    return partition_path + "/" + hashes_name;
}
std::string invalid_path(const std::string& partition_path) {
    return partition_path + "/hashes.invalid";
}

/// Errors other than a missing file.
Result<Invalidations> read_invalidations(const std::string& partition_path) {
    const auto text = read_whole_file(AT_FDCWD, invalid_path(partition_path));
    if (text) return parse_invalidations(*text);
    if (text.error() == errc::not_found) return Invalidations{};
    if (text.error() == errc::limit)
        return Invalidations{.suffixes = {}, .any = true, .garbage = true};
    return text.error();
}

}  // namespace

HashesSnapshot read_hashes_file(const std::string& partition_path) {
    auto bytes = read_whole_file(AT_FDCWD, hashes_path(partition_path));
    if (!bytes) return std::nullopt;
    return std::move(*bytes);
}

HashesSnapshot read_hashes_file(int partition_fd) {
    auto bytes = read_whole_file(partition_fd, hashes_name);
    if (!bytes) return std::nullopt;
    return std::move(*bytes);
}

bool is_unfinished_hashes_file(std::string_view name) {
    return name.starts_with("tmp") && name.ends_with(".tmp");
}

Result<std::string> write_hashes_file(const std::string& partition_path, const StoredHashes& hashes,
                                      const Timestamp& now) {
    std::string bytes = dump_stored_hashes(hashes, now.seconds());
    std::string temporary = partition_path + "/tmpXXXXXX.tmp";
    const UniqueFd fd(::mkostemps(temporary.data(), 4, O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "create " + temporary);
    Result<void> done = write_synced(fd.get(), bytes, temporary);
    const std::string path = hashes_path(partition_path);
    if (done && std::rename(temporary.c_str(), path.c_str()) != 0) {
        done = error_from_errno(errno, "rename to " + path);
    }
    if (!done) {
        ::unlink(temporary.c_str());
        return done.error();
    }
    sync_directory(partition_path);
    return bytes;
}

Result<void> invalidate_suffix(const std::string& partition_path, std::string_view suffix) {
    return invalidate_suffixes(partition_path, {std::string(suffix)}, hash_lock_timeout_s);
}

Result<void> invalidate_suffixes(const std::string& partition_path,
                                 const std::set<std::string>& suffixes, double lock_time_s) {
    const auto lock = lock_hashes(partition_path, true, lock_time_s);
    if (!lock) return lock.error();
    const std::string path = invalid_path(partition_path);
    const UniqueFd fd(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, invalid_file_mode));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    std::string lines;
    for (const std::string& suffix : suffixes)
        lines += suffix + "\n";
    return write_all(fd.get(), lines, path);
}

Result<ConsolidatedHashes> consolidate_hashes(const std::string& partition_path,
                                              const Timestamp& now, SuffixForm form) {
    const auto lock = lock_hashes(partition_path, false);
    if (!lock) return lock.error();
    ConsolidatedHashes result;
    result.snapshot = read_hashes_file(partition_path);
    result.hashes.form = form;
    if (result.snapshot) result.hashes = parse_stored_hashes(*result.snapshot, form);
    const auto invalid = read_invalidations(partition_path);
    if (!invalid) return invalid.error();
    if (!invalid->any) return result;
    if (invalid->garbage) result.hashes.valid = false;
    for (const auto& suffix : invalid->suffixes)
        result.hashes.suffixes[suffix] = std::nullopt;
    auto written = write_hashes_file(partition_path, result.hashes, now);
    if (!written) return written.error();
    result.snapshot = std::move(*written);
    const std::string path = invalid_path(partition_path);
    if (::truncate(path.c_str(), 0) != 0 && errno != ENOENT) {
        return error_from_errno(errno, "truncate " + path);
    }
    return result;
}

}  // namespace fragmend::swift
