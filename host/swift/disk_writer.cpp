// Writing files of objects.
#include "host/swift/disk_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "host/swift/directory.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/metadata_xattr.hpp"

namespace fragmend::swift {
namespace {

constexpr mode_t file_mode = 0777;
/// Empty directories are removed by others at any moment; who loses that race often has a problem.
constexpr int race_attempts_max = 20;

/// Makes what is missing of `path` and counts it.
Result<unsigned> make_counted(const std::string& path) {
    if (::mkdir(path.c_str(), directory_mode) == 0) return 1u;
    if (errno == EEXIST) {
        if (is_directory(path)) return 0u;
        return error_from_errno(ENOTDIR, "mkdir " + path);
    }
    if (errno != ENOENT) return error_from_errno(errno, "mkdir " + path);
    const auto above = make_counted(parent_of(path));
    if (!above) return above;
    if (::mkdir(path.c_str(), directory_mode) == 0) return *above + 1;
    if (errno == EEXIST && is_directory(path)) return *above;
    return error_from_errno(errno, "mkdir " + path);
}

bool has_no_tmpfile(int number) {
    return number == EOPNOTSUPP || number == EISDIR || number == EINVAL;
}

void clean(const DiskContext& context, const std::string& hash_dir_path) {
    const std::string parent = parent_of(hash_dir_path);
    const std::string name = base_name_of(hash_dir_path);
    const auto cleaned = cleanup_hash_dir(context, {AT_FDCWD, parent, name}, {});
    if (!cleaned) {
        context.logger.error("Problem cleaning up " + hash_dir_path + ": " +
                             error_from_errno(cleaned.error().number, "list").detail);
    }
}

Result<void> invalidate(const DiskContext& context, const std::string& hash_dir_path) {
    const std::string suffix_path = parent_of(hash_dir_path);
    return context.groups->note(parent_of(suffix_path), base_name_of(suffix_path));
}

/// Whether something at least as good is where a fragment was expected.
bool is_superseded(const std::string& hash_dir_path, const Timestamp& timestamp) {
    const std::string parent = parent_of(hash_dir_path);
    const std::string name = base_name_of(hash_dir_path);
    const auto directory = read_hash_dir({AT_FDCWD, parent, name});
    if (!directory) return false;
    const auto files = select_ondisk_files(directory->names, {});
    if (files.tombstone && files.tombstone->timestamp() > timestamp) return true;
    const auto durable = files.durable_timestamp();
    return durable && *durable >= timestamp;
}

}  // namespace

DiskWriter::DiskWriter(DiskWriter&& other) noexcept
    : context_(other.context_),
      place_(std::move(other.place_)),
      options_(other.options_),
      fd_(std::move(other.fd_)),
      temporary_(std::exchange(other.temporary_, {})),
      directories_made_(other.directories_made_),
      bytes_written_(other.bytes_written_),
      bytes_synced_(other.bytes_synced_),
      md5_(std::move(other.md5_)) {}

DiskWriter::~DiskWriter() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<DiskWriter> DiskWriter::open(const DiskContext& context, WritePlace place,
                                    WriteOptions options, std::optional<std::uint64_t> bytes) {
    DiskWriter writer(context, std::move(place), options);
    auto created = writer.create();
    if (created.has_error()) return created.error();
    if (bytes && *bytes > 0) {
        auto allocated = writer.allocate(*bytes);
        if (allocated.has_error()) return allocated.error();
    }
    return writer;
}

Result<void> DiskWriter::create() {
    for (int attempt = 0; attempt < race_attempts_max; ++attempt) {
        const auto made = make_counted(place_.hash_dir_path);
        if (!made) return made.error();
        directories_made_ = std::max(directories_made_, *made);
        fd_.reset(
            ::open(place_.hash_dir_path.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, file_mode));
        if (fd_.valid()) return {};
        if (has_no_tmpfile(errno)) return create_named();
        if (errno != ENOENT) break;
    }
    return error_from_errno(errno, "open a temporary file in " + place_.hash_dir_path);
}

Result<void> DiskWriter::create_named() {
    const std::string folder = place_.device_path + "/" + place_.tmp_dir_name;
    const auto made = make_directories(folder);
    if (!made) return made;
    std::string path = folder + "/tmpXXXXXXXX";
    fd_.reset(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd_.valid()) return error_from_errno(errno, "create " + path);
    temporary_ = std::move(path);
    return {};
}

Result<void> DiskWriter::allocate(std::uint64_t bytes) {
    if (options_.disable_fallocate) return {};
    if (options_.reserve.value != 0) {
        struct statvfs device {};
        if (::fstatvfs(fd_.get(), &device) != 0) {
            return error_from_errno(errno, "statvfs " + place_.hash_dir_path);
        }
        const double unit = static_cast<double>(device.f_frsize);
        double free = unit * static_cast<double>(device.f_bavail) - static_cast<double>(bytes);
        if (options_.reserve.is_percent) {
            free = free / (unit * static_cast<double>(device.f_blocks)) * 100;
        }
        if (free <= options_.reserve.value) {
            char text[96];
            std::snprintf(text, sizeof text, "FALLOCATE_RESERVE fail %g <= %g", free,
                          options_.reserve.value);
            return Error{errc::no_space, text};
        }
    }
    if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0 &&
        errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL) {
        return error_from_errno(errno, "fallocate in " + place_.hash_dir_path);
    }
    return {};
}

Result<void> DiskWriter::write(ByteView bytes) {
    md5_.update(bytes);
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return error_from_errno(errno, "write in " + place_.hash_dir_path);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        bytes_written_ += static_cast<std::uint64_t>(written);
    }
    const std::uint64_t unsynced = bytes_written_ - bytes_synced_;
    if (options_.fsync && options_.sync_bytes > 0 &&
        unsynced >= static_cast<std::uint64_t>(options_.sync_bytes)) {
        if (::fdatasync(fd_.get()) != 0) {
            return error_from_errno(errno, "fdatasync in " + place_.hash_dir_path);
        }
        ::posix_fadvise(fd_.get(), static_cast<off_t>(bytes_synced_), static_cast<off_t>(unsynced),
                        POSIX_FADV_DONTNEED);
        bytes_synced_ = bytes_written_;
    }
    return {};
}

Result<void> DiskWriter::sync_file() {
    if (!options_.fsync) return {};
    if (::fsync(fd_.get()) != 0) return error_from_errno(errno, "fsync " + place_.hash_dir_path);
    ::posix_fadvise(fd_.get(), 0, static_cast<off_t>(bytes_written_), POSIX_FADV_DONTNEED);
    return {};
}

Result<void> DiskWriter::link(const std::string& name) {
    const std::string target = place_.hash_dir_path + "/" + name;
    const std::string source = "/proc/self/fd/" + std::to_string(fd_.get());
    for (int attempt = 0; attempt < race_attempts_max; ++attempt) {
        const bool is_named = !temporary_.empty();
        const int failed = is_named ? std::rename(temporary_.c_str(), target.c_str())
                                    : ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(),
                                               AT_SYMLINK_FOLLOW);
        if (failed == 0) {
            temporary_.clear();
            return {};
        }
        if (errno == EEXIST) {
            // The same object of the same time: the new one is as good, and its bytes are known.
            if (::unlink(target.c_str()) != 0 && errno != ENOENT) break;
        } else if (errno == ENOENT) {
            const auto made = make_counted(place_.hash_dir_path);
            if (!made) return made.error();
            directories_made_ = std::max(directories_made_, *made);
        } else {
            break;
        }
    }
    return error_from_errno(errno, "link " + target);
}

Result<void> DiskWriter::sync_directories() {
    if (!options_.fsync) return {};
    std::string path = place_.hash_dir_path;
    for (unsigned i = 0; i <= directories_made_; ++i) {
        auto synced = context_.groups->sync(path);
        if (synced.has_error()) return synced;
        path = parent_of(path);
    }
    return {};
}

Result<void> DiskWriter::put(Metadata metadata, const Target& target) {
    metadata.set("name", place_.object_path);
    auto done = write_metadata(fd_.get(), place_.hash_dir_path, metadata);
    if (done.has_value()) done = sync_file();
    // Whoever hashes after this sees either no change yet, and our note of it, or the file.
    if (done.has_value()) done = invalidate(context_, place_.hash_dir_path);
    if (done.has_value()) done = link(target.name);
    if (done.has_error()) return done;
    if (!target.replaces.empty()) {
        ::unlink((place_.hash_dir_path + "/" + target.replaces).c_str());
    }
    done = sync_directories();
    if (done.has_error()) return done;
    if (target.cleanup) clean(context_, place_.hash_dir_path);
    // Somebody may have hashed between the note and the link; unlike Swift we leave no such gap.
    return invalidate(context_, place_.hash_dir_path);
}

Result<void> commit_fragment(const DiskContext& context, const std::string& hash_dir_path,
                             const Timestamp& timestamp, int fragment_index, bool fsync) {
    const std::string plain =
        hash_dir_path + "/" + data_file_name(timestamp, fragment_index, false);
    const std::string durable =
        hash_dir_path + "/" + data_file_name(timestamp, fragment_index, true);
    // Noted before, for whoever ends between the two, and after, for whoever hashes there.
    auto noted = invalidate(context, hash_dir_path);
    if (noted.has_error()) return noted;
    if (std::rename(plain.c_str(), durable.c_str()) != 0) {
        const int number = errno;
        if (number == ENOENT && is_superseded(hash_dir_path, timestamp)) {
            // Whoever was faster may not have come to it yet.
            return fsync ? context.groups->sync(hash_dir_path) : Result<void>();
        }
        return error_from_errno(number, "rename to " + durable);
    }
    if (fsync) {
        auto synced = context.groups->sync(hash_dir_path);
        if (synced.has_error()) return synced;
    }
    clean(context, hash_dir_path);
    return invalidate(context, hash_dir_path);
}

}  // namespace fragmend::swift
