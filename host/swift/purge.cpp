// Purge of reverted objects.
#include "host/swift/purge.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/hashes_file.hpp"

namespace fragmend::swift {
namespace {

/// At most one `.data` file, and that of the delivered time: no other version needs the `.meta`.
bool may_remove_meta(const FoundObject& found, const Timestamp& data) {
    const std::string time = data.internal() + "#";
    const auto is_data = [](const std::string& name) { return name.ends_with(".data"); };
    const auto data_files =
        std::count_if(found.file_names.begin(), found.file_names.end(), is_data);
    return data_files <= 1 &&
           std::all_of(found.file_names.begin(), found.file_names.end(),
                       [&](const auto& name) { return !is_data(name) || name.starts_with(time); });
}

struct MetaFile {
    std::string name;
    Timestamp timestamp;
};

std::vector<MetaFile> meta_files(const FoundObject& found) {
    std::vector<MetaFile> files;
    for (const auto& name : found.file_names) {
        const auto parsed = parse_ondisk_name(name, any_fragment_count);
        if (parsed.has_value() && parsed->kind == OndiskKind::meta)
            files.push_back({name, parsed->timestamp});
    }
    return files;
}

/// Whether the delivered fragment goes now. Swift removes a durable one in any case. A fragment
/// that was offered as non-durable and committed since was not acknowledged as what it is now: the
/// next pass offers it again.
bool fragment_goes(const DiskContext& context, int fd, const PurgeRequest& request) {
    if (!request.frag_index) return false;
    const std::string plain = data_file_name(request.data, *request.frag_index, false);
    return request.durable || is_file_older(context, fd, plain, context.commit_window_s);
}

void remove_fragment(int fd, const PurgeRequest& request) {
    const int index = *request.frag_index;
    ::unlinkat(fd, data_file_name(request.data, index, false).c_str(), 0);
    if (request.durable) ::unlinkat(fd, data_file_name(request.data, index, true).c_str(), 0);
}

}  // namespace

Result<bool> purge_object(const DiskContext& context, std::string_view device,
                          std::string_view partition, const PurgeRequest& request) {
    const auto found = find_object(context, device, partition, request.object_hash);
    if (!found) return found.error();
    const std::string& path = found->hash_dir_path;
    const auto metas = meta_files(*found);
    if (request.pure_handoff && request.frag_index) {
        const Timestamp known = request.meta.value_or(request.data);
        const bool was_posted = std::any_of(
            metas.begin(), metas.end(), [&](const auto& meta) { return meta.timestamp > known; });
        if (was_posted) return false;
    }
    {
        const UniqueFd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!dir.valid()) return error_from_errno(errno, "open " + path);
        ::unlinkat(dir.get(), tombstone_file_name(request.data).c_str(), 0);
        if (fragment_goes(context, dir.get(), request)) {
            // The .meta first: should we die in between, a fragment without it is offered again,
            // but a .meta without a fragment is nothing that could be.
            if (request.meta && request.pure_handoff && may_remove_meta(*found, request.data)) {
                for (const auto& meta : metas)
                    ::unlinkat(dir.get(), meta.name.c_str(), 0);
            }
            remove_fragment(dir.get(), request);
        }
    }
    if (request.frag_index && ::rmdir(path.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) {
        return error_from_errno(errno, "rmdir " + path);
    }
    const std::string suffix_path = parent_of(path);
    const auto invalidated = invalidate_suffix(parent_of(suffix_path), base_name_of(suffix_path));
    if (!invalidated) return invalidated.error();
    return true;
}

bool remove_empty_suffix(const DiskContext& context, std::string_view device,
                         std::string_view partition, const std::string& suffix) {
    if (!is_suffix_name(suffix)) return false;
    const PartitionPath place(context, device, partition);
    return ::rmdir(place.suffix_path(suffix).c_str()) == 0 || errno == ENOENT;
}

}  // namespace fragmend::swift
