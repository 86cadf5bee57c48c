// Purge of reverted objects.
#include "host/swift/purge.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/base/unique_fd.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/hashes_file.hpp"

namespace fragmend::swift {
namespace {

/// At most one `.data` file, and that of the delivered time: no other version needs the `.meta`.
bool may_remove_meta(const FoundObject& found, const Timestamp& data) {
    const std::string time = data.internal();
    const auto is_data = [](const std::string& name) { return name.ends_with(".data"); };
    const auto data_files =
        std::count_if(found.file_names.begin(), found.file_names.end(), is_data);
    return data_files <= 1 &&
           std::all_of(found.file_names.begin(), found.file_names.end(),
                       [&](const auto& name) { return !is_data(name) || name.starts_with(time); });
}

void remove_fragment(const DiskContext& context, int fd, const PurgeRequest& request) {
    const int index = *request.frag_index;
    const std::string plain = data_file_name(request.data, index, false);
    const double delay_s = request.durable ? 0 : context.commit_window_s;
    if (is_file_older(context, fd, plain, delay_s)) ::unlinkat(fd, plain.c_str(), 0);
    // Swift removes this one in any case. A fragment that was offered as non-durable and committed
    // since was not acknowledged as what it is now: the next pass offers it again.
    if (request.durable) ::unlinkat(fd, data_file_name(request.data, index, true).c_str(), 0);
}

}  // namespace

Result<void> purge_object(const DiskContext& context, std::string_view device,
                          std::string_view partition, const PurgeRequest& request) {
    const auto found = find_object(context, device, partition, request.object_hash);
    if (!found) return found.error();
    const std::string& path = found->hash_dir_path;
    {
        const UniqueFd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!dir.valid()) return error_from_errno(errno, "open " + path);
        ::unlinkat(dir.get(), tombstone_file_name(request.data).c_str(), 0);
        if (request.meta && request.pure_handoff && may_remove_meta(*found, request.data)) {
            ::unlinkat(dir.get(), meta_file_name(*request.meta, std::nullopt).c_str(), 0);
        }
        if (request.frag_index) remove_fragment(context, dir.get(), request);
    }
    if (request.frag_index && ::rmdir(path.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) {
        return error_from_errno(errno, "rmdir " + path);
    }
    const std::string suffix_path = parent_of(path);
    return invalidate_suffix(parent_of(suffix_path), base_name_of(suffix_path));
}

bool remove_empty_suffix(const DiskContext& context, std::string_view device,
                         std::string_view partition, const std::string& suffix) {
    if (!is_suffix_name(suffix)) return false;
    const PartitionPath place(context, device, partition);
    return ::rmdir(place.suffix_path(suffix).c_str()) == 0 || errno == ENOENT;
}

}  // namespace fragmend::swift
