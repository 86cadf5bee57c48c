// What the linker takes for the surroundings of a pass: ring files, local devices, the listing of
// partitions, and the system's randomness.
#include "tests/sim/cluster_files.hpp"

#include <random>
#include <set>

#include "host/scan/collect.hpp"
#include "host/swift/diskfile.hpp"
#include "host/swift/local_devices.hpp"
#include "host/swift/ring_file.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/local_disk.hpp"

namespace fragmend {
namespace sim {

ClusterFiles& cluster_files() {
    static ClusterFiles files;
    return files;
}

}  // namespace sim

namespace swift {

RingFile::RingFile(const std::string& swift_dir, Policy policy, Logger logger)
    : path_(swift_dir), policy_(std::move(policy)), logger_(std::move(logger)) {}

RingPtr RingFile::newest(Instant) {
    ring_ = sim::cluster_files().ring;
    return ring_;
}

Result<bool> RingFile::has_changed() const {
    return ring_ != sim::cluster_files().ring;
}

std::vector<std::string> interface_addresses() {
    return {};
}

std::vector<std::string> my_addresses(const std::string&, const std::vector<std::string>&) {
    return {};
}

/// The first device is the local one in every world.
std::vector<Node> local_devices(const Ring& ring, const std::vector<std::string>&,
                                std::optional<std::uint16_t>, const Resolve&) {
    return {ring.devices().front().value()};
}

std::vector<std::string> resolve_host(const std::string&) {
    return {};
}

std::string object_hash_of(const DiskContext&, std::string_view) {
    return {};
}

}  // namespace swift

namespace scan {

Collected collect_partitions(const swift::DiskContext& context, const swift::Policy& policy,
                             const swift::Ring&, const std::vector<Node>& local_devices,
                             const CollectOptions&) {
    sim::LocalDisk& disk = dynamic_cast<const sim::SimClock&>(*context.clock).disk();
    Collected found;
    found.devices = 1;
    if (disk.fails()) {
        found.devices_failed = 1;
        return found;
    }
    std::set<std::string> names = disk.handoffs;
    for (const auto& [hash, held] : disk.objects)
        names.insert(held.version->partition);
    for (const auto& [name, held] : disk.strays)
        names.insert(held.version->partition);
    for (const std::string& name : names) {
        found.partitions.push_back({policy.index, local_devices.front(),
                                    static_cast<std::uint32_t>(std::stoul(name)), name,
                                    "/disk/" + name});
    }
    found.entries = found.partitions.size();
    return found;
}

}  // namespace scan

}  // namespace fragmend

void std::random_device::_M_init(const std::string&) {}
void std::random_device::_M_fini() {}
std::random_device::result_type std::random_device::_M_getval() {
    fragmend::sim::Dice dice(fragmend::sim::cluster_files().chance++);
    return static_cast<result_type>(dice.next());
}
