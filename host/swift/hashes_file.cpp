// Reading and writing the hash files of a partition.
#include "host/swift/hashes_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "host/base/bytes.hpp"
#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/locks.hpp"
#include "host/swift/pickle.hpp"
#include "host/swift/pickle_writer.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t md5_hex_length = 32;
constexpr std::size_t read_step_bytes = 65536;
constexpr std::size_t hash_file_bytes_max = std::size_t{64} << 20;
constexpr mode_t invalid_file_mode = 0666;

constexpr PickleLimits hashes_limits{
    .input_bytes = hash_file_bytes_max,
    .items = 2'000'000,
    .text_bytes = hash_file_bytes_max,
    .depth = 4,
};

/// The per-index hashes of one suffix; nothing for any other shape.
std::optional<SuffixHash> suffix_hash_from(const PickleValue& value) {
    const auto* dict = value.as<PickleDict>();
    if (dict == nullptr) return std::nullopt;
    SuffixHash hash;
    for (const auto& [key, digest] : dict->items) {
        std::optional<int> index;
        if (const auto* number = key.as<std::int64_t>()) {
            if (*number < 0 || *number > INT32_MAX) return std::nullopt;
            index = static_cast<int>(*number);
        } else if (key.as<PickleNone>() == nullptr) {
            return std::nullopt;
        }
        const auto* text = digest.characters();
        if (text == nullptr || !is_lower_hex(*text, md5_hex_length)) return std::nullopt;
        hash[index] = *text;
    }
    return hash;
}

bool is_true(const PickleValue& value) {
    if (const auto* flag = value.as<bool>()) return *flag;
    if (const auto* number = value.as<std::int64_t>()) return *number != 0;
    return false;
}

std::string_view strip(std::string_view line) {
    constexpr std::string_view blanks = " \t\v\f";
    const auto first = line.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

/// A whole file of bounded size. Errors: not_found, io, limit.
Result<std::string> read_whole_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    std::string bytes;
    for (;;) {
        const std::size_t before = bytes.size();
        if (before > hash_file_bytes_max) return Error{errc::limit, path + " is too large"};
        bytes.resize(before + read_step_bytes);
        const ssize_t got = ::read(fd.get(), bytes.data() + before, read_step_bytes);
        const int number = errno;
        bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0) return bytes;
        if (got < 0 && number != EINTR) return error_from_errno(number, "read " + path);
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

std::string hashes_path(const std::string& partition_path) { return partition_path + "/hashes.pkl"; }
std::string invalid_path(const std::string& partition_path) {
    return partition_path + "/hashes.invalid";
}

/// Errors other than a missing file.
Result<Invalidations> read_invalidations(const std::string& partition_path) {
    const auto text = read_whole_file(invalid_path(partition_path));
    if (text) return parse_invalidations(*text);
    if (text.error() == errc::not_found) return Invalidations{};
    if (text.error() == errc::limit) return Invalidations{.suffixes = {}, .any = true, .garbage = true};
    return text.error();
}

}  // namespace

StoredHashes parse_stored_hashes(std::string_view pickle) {
    const auto value = read_pickle(pickle, hashes_limits);
    const auto* dict = value ? value->as<PickleDict>() : nullptr;
    if (dict == nullptr) return {};
    StoredHashes hashes;
    hashes.valid = true;
    for (const auto& [key, stored] : dict->items) {
        const auto* name = key.characters();
        if (name == nullptr) return {};
        if (*name == "valid") {
            hashes.valid = is_true(stored);
        } else if (is_suffix_name(*name)) {
            hashes.suffixes[*name] = suffix_hash_from(stored);
        } else if (*name != "updated") {
            return {};
        }
    }
    return hashes;
}

std::string dump_stored_hashes(const StoredHashes& hashes, double updated_s) {
    PickleWriter writer;
    auto dict = writer.begin_dict(hashes.suffixes.size() + 2);
    writer.begin_item(dict);
    writer.text("valid");
    writer.boolean(hashes.valid);
    for (const auto& [suffix, hash] : hashes.suffixes) {
        writer.begin_item(dict);
        writer.text(suffix);
        if (!hash) {
            writer.none();
            continue;
        }
        auto inner = writer.begin_dict(hash->size());
        for (const auto& [index, digest] : *hash) {
            writer.begin_item(inner);
            if (index) {
                writer.integer(*index);
            } else {
                writer.none();
            }
            writer.text(digest);
        }
        writer.end_dict(inner);
    }
    writer.begin_item(dict);
    writer.text("updated");
    writer.floating(updated_s);
    writer.end_dict(dict);
    return writer.finish();
}

Invalidations parse_invalidations(std::string_view text) {
    Invalidations result;
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        const auto line = text.substr(0, end);
        std::size_t consumed = end == std::string_view::npos ? text.size() : end + 1;
        if (text.substr(line.size(), 2) == "\r\n") ++consumed;
        text.remove_prefix(consumed);
        result.any = true;
        const auto suffix = strip(line);
        if (is_suffix_name(suffix)) {
            result.suffixes.emplace(suffix);
        } else {
            result.garbage = true;
        }
    }
    return result;
}

HashesSnapshot read_hashes_file(const std::string& partition_path) {
    auto bytes = read_whole_file(hashes_path(partition_path));
    if (!bytes) return std::nullopt;
    return std::move(*bytes);
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
    const auto lock = lock_hashes(partition_path, true);
    if (!lock) return lock.error();
    const std::string path = invalid_path(partition_path);
    const UniqueFd fd(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, invalid_file_mode));
    if (!fd.valid()) return error_from_errno(errno, "open " + path);
    return write_all(fd.get(), std::string(suffix) + "\n", path);
}

Result<ConsolidatedHashes> consolidate_hashes(const std::string& partition_path,
                                              const Timestamp& now) {
    const auto lock = lock_hashes(partition_path, false);
    if (!lock) return lock.error();
    ConsolidatedHashes result;
    result.snapshot = read_hashes_file(partition_path);
    if (result.snapshot) result.hashes = parse_stored_hashes(*result.snapshot);
    const auto invalid = read_invalidations(partition_path);
    if (!invalid) return invalid.error();
    if (!invalid->any) return result;
    if (invalid->garbage) result.hashes.valid = false;
    for (const auto& suffix : invalid->suffixes) result.hashes.suffixes[suffix] = std::nullopt;
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
