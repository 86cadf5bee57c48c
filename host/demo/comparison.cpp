// Walking and comparing devices.
#include "host/demo/comparison.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "host/base/unique_fd.hpp"
#include "host/swift/metadata_xattr.hpp"

namespace fragmend::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 256 * 1024;
/// partition / suffix / hash / file.
constexpr int file_depth = 3;

/// The paths of all files of objects below `root`, relative to it and in order.
Result<std::vector<std::string>> object_files(const std::string& root) {
    std::vector<std::string> names;
    std::error_code failed;
    fs::recursive_directory_iterator entry(root, failed);
    // A device on which nothing was ever stored.
    if (failed == std::errc::no_such_file_or_directory) return names;
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        if (entry.depth() != file_depth) continue;
        names.push_back(entry->path().lexically_relative(root).string());
    }
    if (failed) return Error{errc::io, "list " + root + ": " + failed.message()};
    std::ranges::sort(names);
    return names;
}

/// Reads up to a whole piece. Errors: io.
Result<std::size_t> read_piece(int fd, const std::string& path,
                               std::array<char, piece_bytes>& into) {
    std::size_t have = 0;
    while (have < into.size()) {
        const ssize_t got = ::read(fd, into.data() + have, into.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_from_errno(errno, "read " + path);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

std::string difference_of(const swift::Metadata& was, const swift::Metadata& is) {
    for (const auto& [key, value] : was.items()) {
        const auto now = is.text(key);
        if (!now) return "its metadata lack " + key;
        if (*now != swift::to_text(value))
            return "its metadata say " + key + ": " + *now + " and said " + swift::to_text(value);
    }
    for (const auto& [key, value] : is.items())
        if (!was.contains(key)) return "its metadata have " + key + " in addition";
    return {};
}

/// Compares single files, with buffers that are made once.
class FileComparison {
  public:
    /// Empty when they are equal, else how they differ. Errors: of the file that was there.
    Result<std::string> run(const std::string& was_path, const std::string& is_path,
                            std::uint64_t& bytes) {
        const UniqueFd was(::open(was_path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!was.valid()) return error_from_errno(errno, "open " + was_path);
        const UniqueFd is(::open(is_path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!is.valid()) return "it cannot be opened: " + std::string(std::strerror(errno));
        auto difference = compare_bytes(was.get(), was_path, is.get(), is_path, bytes);
        if (difference.has_error() || !difference->empty()) return difference;
        const auto was_metadata = swift::read_metadata(was.get(), was_path);
        if (was_metadata.has_error()) return was_metadata.error();
        const auto is_metadata = swift::read_metadata(is.get(), is_path);
        if (is_metadata.has_error())
            return "its metadata cannot be read: " + is_metadata.error().detail;
        return difference_of(*was_metadata, *is_metadata);
    }

  private:
    Result<std::string> compare_bytes(int was, const std::string& was_path, int is,
                                      const std::string& is_path, std::uint64_t& bytes) {
        for (std::uint64_t at = 0;;) {
            const auto was_count = read_piece(was, was_path, was_);
            if (was_count.has_error()) return was_count.error();
            bytes += *was_count;
            const auto is_count = read_piece(is, is_path, is_);
            if (is_count.has_error()) return is_count.error().detail;
            const std::size_t common = std::min(*was_count, *is_count);
            const auto place = std::mismatch(was_.begin(), was_.begin() + common, is_.begin());
            const auto same = static_cast<std::size_t>(place.first - was_.begin());
            if (same < common) return "it differs at byte " + std::to_string(at + same);
            if (*was_count != *is_count) {
                return std::string(*is_count < *was_count ? "it is too short, it ends at byte "
                                                          : "it is too long, it ended at byte ") +
                       std::to_string(at + common);
            }
            at += common;
            if (common < piece_bytes) return std::string();
        }
    }

    std::array<char, piece_bytes> was_;
    std::array<char, piece_bytes> is_;
};

void note(Comparison& comparison, std::string line) {
    if (comparison.differences.size() < differences_kept_max)
        comparison.differences.push_back(std::move(line));
}

}  // namespace

void Comparison::add(const Comparison& other) {
    files += other.files;
    bytes += other.bytes;
    equal += other.equal;
    missing += other.missing;
    different += other.different;
    extra += other.extra;
    for (const std::string& line : other.differences)
        note(*this, line);
}

Result<Comparison> compare_devices(const std::string& was, const std::string& is,
                                   const std::string& data_dir) {
    const std::string was_root = was + "/" + data_dir;
    const std::string is_root = is + "/" + data_dir;
    const auto before = object_files(was_root);
    if (before.has_error()) return before.error();
    const auto after = object_files(is_root);
    if (after.has_error()) return after.error();
    Comparison found;
    const auto files = std::make_unique<FileComparison>();
    for (const std::string& name : *before) {
        ++found.files;
        if (!std::ranges::binary_search(*after, name)) {
            ++found.missing;
            note(found, name + ": it is missing");
            continue;
        }
        const auto difference =
            files->run(was_root + "/" + name, is_root + "/" + name, found.bytes);
        if (difference.has_error()) return difference.error();
        if (difference->empty()) {
            ++found.equal;
        } else {
            ++found.different;
            note(found, name + ": " + *difference);
        }
    }
    for (const std::string& name : *after) {
        if (std::ranges::binary_search(*before, name)) continue;
        ++found.extra;
        note(found, name + ": it was not there before");
    }
    return found;
}

Result<Census> take_census(const std::string& device, const std::string& data_dir) {
    const std::string root = device + "/" + data_dir;
    const auto names = object_files(root);
    if (names.has_error()) return names.error();
    Census census;
    for (const std::string& name : *names) {
        struct stat status {};
        const std::string path = root + "/" + name;
        if (::stat(path.c_str(), &status) != 0) return error_from_errno(errno, path);
        // A new inode, other bytes or other attributes show in one of these.
        census[name] = std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
                       std::to_string(status.st_ctim.tv_sec) + "." +
                       std::to_string(status.st_ctim.tv_nsec);
    }
    return census;
}

std::vector<std::string> changes_between(const Census& before, const Census& after) {
    std::vector<std::string> changes;
    for (const auto& [name, status] : before) {
        const auto now = after.find(name);
        if (now == after.end())
            changes.push_back(name + ": it is gone");
        else if (now->second != status)
            changes.push_back(name + ": it was written to");
    }
    for (const auto& [name, status] : after)
        if (!before.contains(name)) changes.push_back(name + ": it is new");
    return changes;
}

}  // namespace fragmend::demo
