// What the linker takes for the disk half of host/swift: offers, objects, hashes, quarantine.
#include "tests/sim/local_disk.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "host/swift/diskfile.hpp"
#include "host/swift/locks.hpp"
#include "host/swift/offers.hpp"
#include "host/swift/partition_hashes.hpp"
#include "host/swift/partition_removal.hpp"
#include "host/swift/quarantine.hpp"
#include "host/swift/settled_hashes.hpp"
#include "host/sync/local_check.hpp"
#include "tests/sim/cluster_files.hpp"

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

const std::string folder = "/disk/";
constexpr char fragment_mark = '#';  ///< In the names of files that belong elsewhere.

}  // namespace

namespace sim {

std::vector<const Held*> LocalDisk::held_in(const std::string& partition) const {
    std::vector<const Held*> found = sim::held_in(objects, partition);
    for (const auto& [name, held] : strays) {
        if (held.version->partition == partition) found.push_back(&held);
    }
    return found;
}

std::string LocalDisk::bytes_of(const Held& held) const {
    const auto index = static_cast<std::uint8_t>(held.index);
    return damaged(truth->of(*held.version, index).bytes, held.damage, held.version->seed + index);
}

const Held* LocalDisk::find(const std::string& hash, std::optional<int> index) const {
    const auto fits = [index](const Held& held) {
        return !index || held.index == *index || held.version->tombstone;
    };
    const auto own = objects.find(hash);
    if (own != objects.end() && fits(own->second)) return &own->second;
    for (auto at = strays.lower_bound({hash, tombstone_index});
         at != strays.end() && at->first.first == hash; ++at) {
        if (fits(at->second)) return &at->second;
    }
    return nullptr;
}

bool LocalDisk::is_locked(const std::string& partition) const {
    const auto found = locks.find(partition);
    if (found == locks.end()) return false;
    pollfd end{found->second.get(), 0, 0};
    ::poll(&end, 1, 0);
    return (end.revents & POLLHUP) == 0;
}

}  // namespace sim

namespace swift {

/// A pipe whose reading end says when the writing one, which the holder has, is gone.
Result<PathLock> PathLock::acquire(const LockRequest& request) {
    sim::LocalDisk& disk = *sim::cluster_files().disk;
    const std::string partition = request.directory.substr(request.directory.rfind('/') + 1);
    if (disk.is_locked(partition) || disk.fails()) return Error{errc::lock_timeout, "locked"};
    int ends[2];
    FRAGMEND_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
    disk.locks[partition].reset(ends[0]);
    PathLock lock;
    lock.fds_.emplace_back(ends[1]);
    return lock;
}

std::optional<std::int64_t> OpenObject::stored_fragment_index() const {
    return fragment_index;
}

Result<std::vector<LocalOffer>> list_offers(const DiskContext& context, std::string_view,
                                            std::string_view partition, const std::string& suffix,
                                            const OfferOptions& options) {
    sim::LocalDisk& disk = disk_of(context);
    if (disk.fails()) return Error{errc::io, "a suffix that cannot be listed"};
    std::vector<LocalOffer> offers;
    for (const sim::Held* held : disk.held_in(std::string(partition))) {
        const sim::Version& version = *held->version;
        if (version.suffix() != suffix || (!held->durable && !options.frag_prefs)) continue;
        // Of several fragments of an object, the first one stands for all.
        if (disk.find(version.hash, options.frag_index) != held) continue;
        LocalOffer offer{version.hash, version.data, version.meta, {}, {}};
        if (!version.tombstone) offer.durable = held->durable;
        offers.push_back(offer);
    }
    return offers;
}

Result<OpenObject> open_object(const DiskContext& context, std::string_view, std::string_view,
                               std::string_view object_hash, const OpenOptions& options) {
    sim::LocalDisk& disk = disk_of(context);
    const sim::Held* found = disk.find(std::string(object_hash), options.frag_index);
    if (found == nullptr || (!found->durable && !options.frag_prefs))
        return Error{errc::not_found, "gone"};
    if (disk.fails()) return Error{errc::io, "an object that cannot be opened"};
    const sim::Held& held = *found;
    const sim::Version& version = *held.version;
    OpenObject object;
    object.name = {"a", "c", version.path.substr(5)};
    object.hash = version.hash;
    object.data_timestamp = object.timestamp = version.data;
    if (held.durable) object.durable_timestamp = version.data;
    if (version.tombstone) {
        object.tombstone = version.data;
        return object;
    }
    const sim::Fragment& truth = disk.truth->of(version, static_cast<std::uint8_t>(held.index));
    object.fragment_index = held.index;
    object.data_path = folder + version.hash;
    if (disk.strays.contains({version.hash, held.index}))
        object.data_path += fragment_mark + std::to_string(held.index);
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
    if (!disk.fails()) object.fd = file_of(disk.bytes_of(held));
    return object;
}

Result<UniqueFd> open_data_file_again(const std::string& path, std::uint64_t bytes) {
    sim::LocalDisk& disk = *sim::cluster_files().disk;
    const std::string name = path.substr(folder.size());
    const auto mark = name.find(fragment_mark);
    std::optional<int> index;
    if (mark != std::string::npos) index = std::stoi(name.substr(mark + 1));
    const sim::Held* held = disk.find(name.substr(0, mark), index);
    if (held == nullptr || held->version->tombstone) return Error{errc::not_found, path};
    if (disk.fails()) return Error{errc::io, path + " that cannot be opened"};
    const std::string content = disk.bytes_of(*held);
    if (content.size() != bytes) return Error{errc::bad_fragment, path + ": its length changed"};
    return file_of(content);
}

Result<HashedPartition> get_hashes(const DiskContext& context, std::string_view,
                                   std::string_view partition, const HashRequest& request) {
    sim::LocalDisk& disk = disk_of(context);
    if (request.list_directory && disk.on_turn) disk.on_turn(std::string(partition));
    if (disk.fails()) return Error{errc::lock_timeout, "hashes.pkl is locked"};
    return HashedPartition{sim::hashes_of(disk.held_in(std::string(partition))), {}, 0};
}

Result<HashedPartition> update_hashes(const DiskContext& context, std::string_view device,
                                      std::string_view partition, const HashRequest& request) {
    return get_hashes(context, device, partition, request);
}

/// What cannot be read is looked at again by `update_hashes`.
std::optional<PartitionHashes> settled_hashes(const DiskContext& context, std::string_view,
                                              std::string_view partition, bool list_directory) {
    sim::LocalDisk& disk = disk_of(context);
    if (disk.on_look) disk.on_look(std::string(partition));
    if (disk.fails()) return std::nullopt;
    if (list_directory && disk.on_turn) disk.on_turn(std::string(partition));
    return sim::hashes_of(disk.held_in(std::string(partition)));
}

/// Only what is damaged leaves, whatever the one who asks believes; its directory goes with it.
Error quarantine_object(const DiskContext& context, const std::string&,
                        const std::string& file_path, std::string_view reason) {
    sim::LocalDisk& disk = disk_of(context);
    const std::string name = file_path.substr(file_path.rfind('/') + 1);
    const std::string hash = name.substr(0, name.find(fragment_mark));
    std::optional<int> index;
    if (hash != name) index = std::stoi(name.substr(hash.size() + 1));
    const sim::Held* found = disk.find(hash, index);
    if (found == nullptr || found->damage == sim::Damage::none || disk.process_is_dead)
        return {errc::not_found, "nothing to quarantine at " + file_path};
    disk.objects.erase(hash);
    std::erase_if(disk.strays, [&hash](const auto& entry) { return entry.first.first == hash; });
    disk.quarantined.insert(hash);
    return {errc::quarantined, std::string(reason)};
}

Result<bool> purge_object(const DiskContext& context, std::string_view, std::string_view,
                          const PurgeRequest& request) {
    sim::LocalDisk& disk = disk_of(context);
    if (disk.process_is_dead || disk.find(request.object_hash, std::nullopt) == nullptr)
        return Error{errc::not_found, "gone"};
    if (disk.fails()) return Error{errc::io, "a directory that cannot be listed"};
    const auto goes = [&](const auto& entry) {
        const sim::Held& held = entry.second;
        if (held.version->hash != request.object_hash || held.version->data != request.data)
            return false;
        // What was committed since it was offered stays.
        const bool is_meant = held.version->tombstone || (held.index == request.frag_index &&
                                                          (request.durable || !held.durable));
        if (is_meant) disk.on_purge(held, request);
        return is_meant;
    };
    std::erase_if(disk.strays, goes);
    std::erase_if(disk.objects, goes);
    return true;
}

bool remove_empty_suffix(const DiskContext& context, std::string_view, std::string_view partition,
                         const std::string& suffix) {
    const auto held = disk_of(context).held_in(std::string(partition));
    return std::ranges::none_of(
        held, [&](const sim::Held* one) { return one->version->suffix() == suffix; });
}

Result<bool> remove_empty_partition(const DiskContext& context, std::string_view,
                                    std::string_view partition) {
    sim::LocalDisk& disk = disk_of(context);
    if (disk.process_is_dead || disk.is_locked(std::string(partition)) || disk.fails())
        return Error{errc::lock_timeout, "locked"};
    if (!disk.held_in(std::string(partition)).empty()) return false;
    disk.handoffs.erase(std::string(partition));
    return true;
}

}  // namespace swift

namespace sync {

/// The disk is asked when it comes to the quarantine.
std::optional<std::string> damage_of(const LocalArchive&) {
    return "damaged";
}

}  // namespace sync
}  // namespace fragmend
