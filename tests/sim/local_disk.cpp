// What the linker takes for the disk half of host/swift: offers, objects, hashes, quarantine.
#include "tests/sim/local_disk.hpp"

#include <sys/mman.h>

#include "host/swift/diskfile.hpp"
#include "host/swift/offers.hpp"
#include "host/swift/partition_hashes.hpp"
#include "host/swift/quarantine.hpp"
#include "host/swift/settled_hashes.hpp"
#include "host/sync/local_check.hpp"

namespace fragmend {
namespace {

sim::LocalDisk& disk_of(const swift::DiskContext& context) {
    return dynamic_cast<const sim::SimClock&>(*context.clock).disk();
}

/// A file without a name that holds `bytes`.
UniqueFd file_of(const std::string& bytes) {
    UniqueFd fd(::memfd_create("archive", MFD_CLOEXEC));
    const auto written = ::write(fd.get(), bytes.data(), bytes.size());
    FRAGMEND_ASSERT(written == static_cast<ssize_t>(bytes.size()));
    return fd;
}

}  // namespace

namespace swift {

std::optional<std::int64_t> OpenObject::stored_fragment_index() const {
    return fragment_index;
}

Result<std::vector<LocalOffer>> list_offers(const DiskContext& context, std::string_view,
                                            std::string_view partition, const std::string& suffix,
                                            const OfferOptions&) {
    sim::LocalDisk& disk = disk_of(context);
    if (disk.fails()) return Error{errc::io, "a suffix that cannot be listed"};
    std::vector<LocalOffer> offers;
    for (const auto& [hash, held] : disk.objects) {
        const sim::Version& version = *held.version;
        if (version.partition != partition || version.suffix() != suffix) continue;
        LocalOffer offer{hash, version.data, version.meta, {}, {}};
        if (!version.tombstone) offer.durable = true;
        offers.push_back(offer);
    }
    return offers;
}

Result<OpenObject> open_object(const DiskContext& context, std::string_view, std::string_view,
                               std::string_view object_hash, const OpenOptions&) {
    sim::LocalDisk& disk = disk_of(context);
    const auto found = disk.objects.find(std::string(object_hash));
    if (found == disk.objects.end()) return Error{errc::not_found, "gone"};
    if (disk.fails()) return Error{errc::io, "an object that cannot be opened"};
    const sim::Held& held = found->second;
    const sim::Version& version = *held.version;
    OpenObject object;
    object.name = {"a", "c", version.path.substr(5)};
    object.hash = version.hash;
    object.data_timestamp = object.timestamp = version.data;
    object.durable_timestamp = version.data;
    if (version.tombstone) {
        object.tombstone = version.data;
        return object;
    }
    const auto index = static_cast<std::uint8_t>(held.index);
    const sim::Fragment& truth = disk.truth->of(version, index);
    object.fragment_index = held.index;
    object.data_path = "/disk/" + version.hash;
    object.content_length = version.archive_bytes;
    object.data_metadata.set("X-Timestamp", version.data.internal());
    object.data_metadata.set("Content-Length", std::to_string(version.archive_bytes));
    object.data_metadata.set("ETag", truth.md5);
    object.data_metadata.set("X-Object-Sysmeta-Ec-Etag", version.ec_etag);
    object.data_metadata.set("X-Object-Sysmeta-Ec-Frag-Index", std::to_string(held.index));
    if (version.segment_bytes > 0)
        object.data_metadata.set("X-Object-Sysmeta-Ec-Segment-Size",
                                 std::to_string(version.segment_bytes));
    object.data_metadata.set("name", version.path);
    if (version.meta) {
        object.meta_metadata.emplace();
        object.meta_metadata->set("X-Timestamp", version.meta->internal());
        object.timestamp = *version.meta;
    }
    if (!disk.fails())
        object.fd = file_of(sim::damaged(truth.bytes, held.damage, version.seed + index));
    return object;
}

Result<HashedPartition> get_hashes(const DiskContext& context, std::string_view,
                                   std::string_view partition, const HashRequest& request) {
    sim::LocalDisk& disk = disk_of(context);
    if (request.list_directory && disk.on_turn) disk.on_turn(std::string(partition));
    if (disk.fails()) return Error{errc::lock_timeout, "hashes.pkl is locked"};
    return HashedPartition{sim::hashes_of(disk.objects, std::string(partition)), {}, 0};
}

Result<HashedPartition> update_hashes(const DiskContext& context, std::string_view device,
                                      std::string_view partition, const HashRequest& request) {
    return get_hashes(context, device, partition, request);
}

/// What cannot be read is looked at again by `update_hashes`.
std::optional<PartitionHashes> settled_hashes(const DiskContext& context, std::string_view,
                                              std::string_view partition, bool list_directory) {
    sim::LocalDisk& disk = disk_of(context);
    if (disk.fails()) return std::nullopt;
    if (list_directory && disk.on_turn) disk.on_turn(std::string(partition));
    return sim::hashes_of(disk.objects, std::string(partition));
}

/// Only what is damaged leaves, whatever the one who asks believes.
Error quarantine_object(const DiskContext& context, const std::string&,
                        const std::string& file_path, std::string_view reason) {
    sim::LocalDisk& disk = disk_of(context);
    const std::string hash = file_path.substr(file_path.rfind('/') + 1);
    const auto found = disk.objects.find(hash);
    if (found == disk.objects.end() || found->second.damage == sim::Damage::none ||
        disk.process_is_dead) {
        return {errc::not_found, "nothing to quarantine at " + file_path};
    }
    disk.objects.erase(found);
    disk.quarantined.insert(hash);
    return {errc::quarantined, std::string(reason)};
}

}  // namespace swift

namespace sync {

/// The disk is asked when it comes to the quarantine.
std::optional<std::string> damage_of(const LocalArchive&) {
    return "damaged";
}

}  // namespace sync
}  // namespace fragmend
