// Listing offers.
#include "host/swift/offers.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hash_dir.hpp"
#include "host/swift/hashes_file.hpp"
#include "host/swift/mount_check.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t object_hash_length = 32;

std::optional<LocalOffer> offer_from(const std::string& object_hash, const OndiskFiles& files) {
    LocalOffer offer;
    offer.object_hash = object_hash;
    if (files.data) {
        offer.data = files.data->timestamp();
        if (files.data->parsed.fragment_index >= 0) offer.durable = files.data->parsed.durable;
    } else if (files.tombstone) {
        offer.data = files.tombstone->timestamp();
    } else {
        return std::nullopt;
    }
    if (files.meta) offer.meta = files.meta->timestamp();
    if (files.content_type) offer.content_type = files.content_type->parsed.content_type;
    return offer;
}

}  // namespace

Result<std::vector<LocalOffer>> list_offers(const DiskContext& context, std::string_view device,
                                            std::string_view partition, const std::string& suffix,
                                            const OfferOptions& options) {
    const auto mounted = check_device(context, device);
    if (!mounted) return mounted.error();
    if (!is_suffix_name(suffix)) return Error{errc::bad_name, "not a suffix: " + suffix};
    const PartitionPath place(context, device, partition);
    const std::string path = place.suffix_path(suffix);
    auto directory = read_directory(AT_FDCWD, path);
    if (!directory && directory.error().number != ENOENT) {
        context.logger.error("ERROR: Skipping '" + path + "' due to error with listdir attempt: " +
                             std::strerror(directory.error().number));
        return error_from_errno(directory.error().number, "list " + path);
    }
    std::vector<LocalOffer> offers;
    bool found_files = false;
    // No policy here, as in Swift: a fragment of an impossible index can be seen, and never chosen
    // by a job's own index.
    const SelectionOptions selection{.frag_index = options.frag_index,
                                     .frag_prefs = options.frag_prefs,
                                     .fragment_count = any_fragment_count};
    if (directory) {
        for (const auto& name : directory->names) {
            const auto dir =
                cleanup_hash_dir(context, {directory->fd.get(), path, name}, selection);
            if (!dir) {
                found_files = true;
                context.logger.warning("Unable to list " + path + "/" + name + ": " +
                                       std::strerror(dir.error().number));
                continue;
            }
            if (!dir->names.empty()) found_files = true;
            if (!is_lower_hex(name, object_hash_length) || !name.ends_with(suffix)) continue;
            if (const auto offer = offer_from(name, dir->files)) offers.push_back(*offer);
        }
    }
    if (!found_files) {
        const auto invalidated = invalidate_suffix(place.path, suffix);
        if (!invalidated) return invalidated.error();
    }
    return offers;
}

}  // namespace fragmend::swift
