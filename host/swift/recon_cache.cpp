// The file in which Swift's daemons leave numbers for the recon middleware.
#include "host/swift/recon_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "host/base/unique_fd.hpp"
#include "host/swift/file_bytes.hpp"
#include "host/swift/locks.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t file_bytes_max = 64u << 20;
constexpr std::chrono::milliseconds lock_retry{10};
/// Each rename by another daemon makes us begin again; with a fair share of the lock two or three
/// do.
constexpr int lock_rounds_max = 100;

bool is_same_file(const std::string& path, int fd) {
    struct stat named {};
    struct stat held {};
    return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &held) == 0 &&
           named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

Result<void> lock_until(int fd, const std::string& path) {
    using Clock = std::chrono::steady_clock;
    const auto give_up = Clock::now() + std::chrono::duration<double>(recon_lock_timeout_s);
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return error_from_errno(errno, "flock " + path);
        if (Clock::now() >= give_up) {
            return Error{errc::lock_timeout, python_seconds(recon_lock_timeout_s) + ": " + path};
        }
        std::this_thread::sleep_for(lock_retry);
    }
    return {};
}

/// The locked file that `path` names while the lock is held: whoever renames holds it too.
Result<UniqueFd> lock_cache(const std::string& path) {
    for (int round = 0; round < lock_rounds_max; ++round) {
        UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0777));
        if (!fd.valid()) return error_from_errno(errno, path);
        if (auto locked = lock_until(fd.get(), path); locked.has_error()) return locked.error();
        if (is_same_file(path, fd.get())) return fd;
    }
    return Error{errc::lock_timeout, "it is replaced all the time: " + path};
}

std::string_view first_line(std::string_view text) {
    return text.substr(0, text.find('\n'));
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return error_from_errno(errno, "write " + path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// Source: swift.common.utils.renamer with fsync=False; the name is that of Python's tempfile.
Result<void> replace(const std::string& path, std::string_view text) {
    std::string temporary = path.substr(0, path.rfind('/') + 1) + "tmpXXXXXX";
    UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, temporary);
    auto done = write_all(fd.get(), text, temporary);
    if (done.has_value() && ::rename(temporary.c_str(), path.c_str()) != 0)
        done = error_from_errno(errno, "rename to " + path);
    if (done.has_error()) static_cast<void>(::unlink(temporary.c_str()));
    return done;
}

}  // namespace

void merge_recon_update(JsonMembers& members, const ReconUpdate& update) {
    for (const auto& [name, value] : update.values)
        members.insert_or_assign(name, value);
    for (const auto& [name, changes] : update.nested) {
        if (changes.empty()) {
            members.erase(name);
            continue;
        }
        auto inner = split_json_object(members[name]).value_or(JsonMembers{});
        for (const auto& [inner_name, value] : changes) {
            if (value.empty())
                inner.erase(inner_name);
            else
                inner.insert_or_assign(inner_name, value);
        }
        members[name] = join_json_object(inner);
    }
}

Result<void> update_recon_cache(const std::string& path, const ReconUpdate& update) {
    const auto locked = lock_cache(path);
    if (locked.has_error()) return locked.error();
    const auto file = read_file(path, file_bytes_max);
    if (file.has_error()) return file.error();
    auto members = split_json_object(first_line(file->bytes)).value_or(JsonMembers{});
    merge_recon_update(members, update);
    return replace(path, join_json_object(members) + "\n");
}

Result<JsonMembers> load_recon_cache(const std::string& path) {
    const auto file = read_file(path, file_bytes_max);
    if (file.has_error()) {
        if (file.error() == errc::not_found) return JsonMembers{};
        return file.error();
    }
    return split_json_object(file->bytes).value_or(JsonMembers{});
}

}  // namespace fragmend::swift
