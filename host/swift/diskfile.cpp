// Finding and opening objects.
#include "host/swift/diskfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "host/base/bytes.hpp"
#include "host/base/md5.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/metadata_xattr.hpp"
#include "host/swift/mount_check.hpp"
#include "host/swift/python_text.hpp"
#include "host/swift/quarantine.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t object_hash_length = 32;
constexpr std::string_view name_key = "name";
constexpr std::string_view timestamp_key = "X-Timestamp";
constexpr std::string_view content_type_key = "Content-Type";
constexpr std::string_view content_type_time_key = "Content-Type-Timestamp";

/// Items of the data file that a POST cannot change.
bool belongs_to_data_file(std::string_view key) {
    constexpr std::array<std::string_view, 4> reserved{"content-length", "deleted", "etag",
                                                       "x-static-large-object"};
    return is_object_sysmeta(key) ||
           std::find(reserved.begin(), reserved.end(), lower_ascii(key)) != reserved.end();
}

/// One attempt to open one object.
class Opening {
  public:
    Opening(const DiskContext& context, const std::string& device_path, FoundObject& found,
            const OpenOptions& options)
        : context_(context), device_path_(device_path), found_(found), options_(options) {
        out_.name = found.name;
        out_.hash = found.hash;
        out_.hash_dir_path = found.hash_dir_path;
    }

    /// With the files that were found.
    Result<OpenObject> run();
    /// With those that are there now.
    Result<OpenObject> run_afresh();

  private:
    void select_files(const std::vector<std::string>& names);
    Result<void> list_files();
    Result<OpenObject> open_selected();
    Result<OpenObject> open_tombstone();
    Result<void> open_data_file();
    Result<void> read_data_metadata();
    Result<void> read_meta_files();
    Result<void> merge_content_type();
    void merge_effective();
    Result<void> check();
    Result<void> check_expiry();
    Result<void> check_size();
    Result<void> set_timestamps();

    std::string path_of(const OndiskFile& file) const {
        return found_.hash_dir_path + "/" + file.name;
    }
    Error quarantine(const std::string& file_path, std::string_view reason) {
        return quarantine_object(context_, device_path_, file_path, reason);
    }
    /// What reading metadata failed with; damage goes to quarantine.
    Error metadata_failure(const Error& error, const std::string& file_path) {
        if (error.code != errc::bad_metadata && error.code != errc::bad_pickle) return error;
        return quarantine(file_path, error.detail);
    }

    const DiskContext& context_;
    const std::string& device_path_;
    FoundObject& found_;
    const OpenOptions& options_;
    OpenObject out_;
};

void Opening::select_files(const std::vector<std::string>& names) {
    out_.files = select_ondisk_files(names, {.frag_index = options_.frag_index,
                                             .frag_prefs = options_.frag_prefs,
                                             .fragment_count = context_.fragment_count});
}

Result<void> Opening::list_files() {
    const std::string& path = found_.hash_dir_path;
    const std::string parent = path.substr(0, path.rfind('/'));
    const HashDirPlace place{AT_FDCWD, parent, found_.hash};
    const auto directory = read_hash_dir(place);
    if (directory) {
        select_files(directory->names);
        return {};
    }
    switch (directory.error().number) {
        case ENOENT:
            return {};
        case ENOTDIR:
            return quarantine(path + "/made-up-filename",
                              "Expected directory, found file at " + path);
        case ENODATA: {
            const std::string reason = "Failed to list directory at " + path;
            const auto moved = quarantine(path + "/made-up-filename", reason);
            return moved == errc::quarantined ? moved : quarantine(path, reason);
        }
        default:
            return error_from_errno(directory.error().number, "Error listing directory " + path);
    }
}

Result<OpenObject> Opening::open_tombstone() {
    if (!out_.files.tombstone)
        return Error{errc::not_found, "no usable file in " + found_.hash_dir_path};
    const std::string path = path_of(*out_.files.tombstone);
    const auto metadata = read_metadata(path);
    if (!metadata) {
        const auto failure = metadata_failure(metadata.error(), path);
        if (failure == errc::quarantined) return Error{errc::not_found, failure.detail};
        return failure;
    }
    const auto time = metadata->timestamp(timestamp_key);
    if (!time) return time.error();
    out_.tombstone = *time;
    return std::move(out_);
}

Result<void> Opening::open_data_file() {
    if (found_.name_file.valid() && found_.file_names.back() == out_.files.data->name) {
        out_.fd = std::move(found_.name_file);
        return {};
    }
    out_.fd.reset(::open(out_.data_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (out_.fd.valid()) return {};
    const int number = errno;
    if (number == ENODATA) {
        return quarantine(out_.data_path,
                          "Failed to open " + out_.data_path + ": " + std::strerror(number));
    }
    return error_from_errno(number, "open " + out_.data_path);
}

Result<void> Opening::read_data_metadata() {
    if (!found_.name_metadata.empty() && found_.file_names.back() == out_.files.data->name) {
        out_.data_metadata = std::move(found_.name_metadata);
    } else {
        auto metadata = read_metadata(out_.fd.get(), out_.data_path);
        if (!metadata) return metadata_failure(metadata.error(), out_.data_path);
        out_.data_metadata = std::move(*metadata);
    }
    const auto time = out_.data_metadata.timestamp(timestamp_key);
    if (!time) return time.error();
    out_.data_timestamp = *time;
    return {};
}

/// A second `.meta` only gives its content type, and only if that is the newest one.
Result<void> Opening::merge_content_type() {
    const std::string path = path_of(*out_.files.content_type);
    const auto metadata = read_metadata(path);
    if (!metadata) return metadata_failure(metadata.error(), path);
    const auto content_type = metadata->text(content_type_key);
    const auto time_text = metadata->text(content_type_time_key);
    if (!content_type || !time_text) return {};
    const auto newest = out_.meta_metadata->text(content_type_time_key).value_or("");
    const auto time = Timestamp::parse(*time_text);
    if (*time_text <= newest || !time || *time <= out_.data_timestamp) return {};
    out_.meta_metadata->set(content_type_key, *content_type);
    out_.meta_metadata->set(content_type_time_key, *time_text);
    return {};
}

Result<void> Opening::read_meta_files() {
    if (!out_.files.meta) return {};
    const std::string path = path_of(*out_.files.meta);
    auto metadata = read_metadata(path);
    if (!metadata) return metadata_failure(metadata.error(), path);
    out_.meta_metadata = std::move(*metadata);
    if (out_.files.content_type && out_.files.content_type->name != out_.files.meta->name) {
        return merge_content_type();
    }
    return {};
}

void Opening::merge_effective() {
    if (!out_.meta_metadata) {
        out_.effective = out_.data_metadata;
        return;
    }
    out_.effective = *out_.meta_metadata;
    for (const auto& [key, value] : out_.data_metadata.items()) {
        if (belongs_to_data_file(key)) out_.effective.set(key, value);
    }
    out_.meta_metadata->erase(name_key);
    const auto* content_type = out_.data_metadata.find(content_type_key);
    if (content_type == nullptr) return;
    const auto posted = out_.meta_metadata->timestamp(content_type_time_key);
    if (!posted || out_.data_timestamp > *posted) {
        out_.effective.set(content_type_key, *content_type);
        out_.effective.erase(content_type_time_key);
    }
}

Result<void> Opening::check_expiry() {
    const auto delete_at = out_.effective.text("X-Delete-At");
    if (!delete_at) return {};
    const auto seconds = python_int_saturated(*delete_at);
    if (!seconds) {
        return quarantine(out_.data_path, "bad metadata x-delete-at value " + *delete_at);
    }
    const bool passed = static_cast<double>(*seconds) <= context_.clock->now().seconds();
    if (passed && !options_.open_expired) {
        return Error{errc::expired, out_.name.path() + " expired at " + *delete_at};
    }
    return {};
}

Result<void> Opening::check_size() {
    const auto stored = out_.effective.text("Content-Length");
    if (!stored) return quarantine(out_.data_path, "missing content-length in metadata");
    const auto length = python_int(*stored);
    if (!length) {
        return quarantine(out_.data_path, "bad metadata content-length value " + *stored);
    }
    struct stat status {};
    if (::fstat(out_.fd.get(), &status) != 0) {
        return quarantine(out_.data_path, std::string("not stat-able: ") + std::strerror(errno));
    }
    if (*length != status.st_size) {
        return quarantine(out_.data_path, "metadata content-length " + std::to_string(*length) +
                                              " does not match actual object size " +
                                              std::to_string(status.st_size));
    }
    out_.content_length = static_cast<std::uint64_t>(status.st_size);
    return {};
}

Result<void> Opening::check() {
    const auto name = out_.effective.text(name_key);
    if (!name) return quarantine(out_.data_path, "missing name metadata");
    if (*name != out_.name.path()) {
        context_.logger.error("Client path " + out_.name.path() +
                              " does not match path stored in object metadata " + *name);
        return Error{errc::name_collision,
                     "Client path does not match path stored in object metadata"};
    }
    const auto expiry = check_expiry();
    if (!expiry) return expiry;
    return check_size();
}

Result<void> Opening::set_timestamps() {
    const auto effective = out_.effective.timestamp(timestamp_key);
    if (!effective) return effective.error();
    out_.timestamp = *effective;
    const auto posted = out_.effective.timestamp(content_type_time_key);
    out_.content_type_timestamp = posted ? *posted : out_.data_timestamp;
    out_.durable_timestamp = context_.has_whole_objects() ? std::optional(out_.data_timestamp)
                                                          : out_.files.durable_timestamp();
    out_.fragment_index = out_.files.data->parsed.fragment_index;
    return {};
}

Result<OpenObject> Opening::run() {
    select_files(found_.file_names);
    return open_selected();
}

Result<OpenObject> Opening::run_afresh() {
    const auto listed = list_files();
    if (!listed) return listed.error();
    return open_selected();
}

Result<OpenObject> Opening::open_selected() {
    if (!out_.files.data) return open_tombstone();
    out_.data_path = path_of(*out_.files.data);
    constexpr std::array<Result<void> (Opening::*)(), 3> read_steps{
        &Opening::open_data_file, &Opening::read_data_metadata, &Opening::read_meta_files};
    for (const auto step : read_steps) {
        const auto done = (this->*step)();
        if (!done) return done.error();
    }
    merge_effective();
    const auto checked = check();
    if (!checked) return checked.error();
    const auto timed = set_timestamps();
    if (!timed) return timed.error();
    return std::move(out_);
}

}  // namespace

Result<ObjectName> parse_object_path(std::string_view path) {
    const auto bad = [&] { return Error{errc::bad_name, "Invalid path: " + percent_quote(path)}; };
    if (path.empty() || path.front() != '/') return bad();
    const auto second = path.find('/', 1);
    if (second == std::string_view::npos) return bad();
    const auto third = path.find('/', second + 1);
    if (third == std::string_view::npos) return bad();
    ObjectName name{std::string(path.substr(1, second - 1)),
                    std::string(path.substr(second + 1, third - second - 1)),
                    std::string(path.substr(third + 1))};
    if (name.account.empty() || name.container.empty() || name.object.empty()) return bad();
    return name;
}

std::string object_hash_of(const DiskContext& context, std::string_view object_path) {
    Md5 md5;
    md5.update(context.hash_path_prefix);
    md5.update(object_path);
    md5.update(context.hash_path_suffix);
    return md5.finish_hex();
}

std::optional<std::int64_t> OpenObject::stored_fragment_index() const {
    const auto text = data_metadata.text("X-Object-Sysmeta-Ec-Frag-Index");
    return text ? python_int(*text) : std::nullopt;
}

Result<FoundObject> find_object(const DiskContext& context, std::string_view device,
                                std::string_view partition, std::string_view object_hash) {
    const auto mounted = check_device(context, device);
    if (!mounted) return mounted.error();
    if (!is_lower_hex(object_hash, object_hash_length)) {
        return Error{errc::bad_name, "not an object hash: " + percent_quote(object_hash)};
    }
    const PartitionPath place(context, device, partition);
    FoundObject found;
    found.hash = object_hash;
    const std::string suffix_path = place.suffix_path(object_hash.substr(object_hash_length - 3));
    found.hash_dir_path = suffix_path + "/" + found.hash;
    // Default arguments, as in Swift: no policy, no preference.
    auto dir = cleanup_hash_dir(context, {AT_FDCWD, suffix_path, found.hash}, {});
    const Error nothing{errc::not_found, "no object at " + found.hash_dir_path};
    if (!dir) {
        const auto moved = quarantine_unlistable(context, place.device_path, found.hash_dir_path,
                                                 dir.error().number);
        return moved ? nothing : moved.error();
    }
    if (dir->names.empty()) return nothing;
    const std::string name_path = found.hash_dir_path + "/" + dir->names.back();
    found.name_file.reset(::open(name_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!found.name_file.valid()) return error_from_errno(errno, "open " + name_path);
    auto metadata = read_metadata(found.name_file.get(), name_path);
    if (!metadata) return metadata.error();
    const auto path = metadata->text(name_key).value_or("");
    auto name = parse_object_path(path);
    if (!name) return nothing;
    if (object_hash_of(context, path) != object_hash) {
        return Error{errc::name_collision,
                     "the name in " + found.hash_dir_path + " has another hash"};
    }
    found.name = std::move(*name);
    found.file_names = std::move(dir->names);
    found.name_metadata = std::move(*metadata);
    return found;
}

Result<OpenObject> open_found(const DiskContext& context, std::string_view device,
                              FoundObject& found, const OpenOptions& options) {
    const std::string device_path = context.device_path(device);
    auto opened = Opening(context, device_path, found, options).run();
    if (opened || opened.error() != errc::not_found) return opened;
    // A file may have given way to a newer one since it was listed.
    found.name_file.reset();
    found.name_metadata = {};
    return Opening(context, device_path, found, options).run_afresh();
}

Result<OpenObject> open_object(const DiskContext& context, std::string_view device,
                               std::string_view partition, std::string_view object_hash,
                               const OpenOptions& options) {
    auto found = find_object(context, device, partition, object_hash);
    if (!found) return found.error();
    return open_found(context, device, *found, options);
}

Result<UniqueFd> open_data_file_again(const std::string& path, std::uint64_t bytes) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid()) return error_from_errno(errno, path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return error_from_errno(errno, path);
    if (static_cast<std::uint64_t>(info.st_size) != bytes)
        return Error{errc::bad_fragment, path + ": its length changed"};
    return fd;
}

}  // namespace fragmend::swift
