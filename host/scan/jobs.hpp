// From one partition to the jobs that its suffix hashes call for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "host/base/node.hpp"
#include "host/scan/partitions.hpp"
#include "host/swift/hashes_types.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring.hpp"

namespace fragmend::scan {

/// A primary node as a peer of a job. Its fragment index is `policy.backend_index(primary_index)`.
struct Peer {
    Node node;
    std::size_t primary_index = 0;
};

/// This device is a primary of the partition: bring what it holds to its neighbours.
struct SyncJob {
    Partition partition;
    int fragment_index = 0;             ///< Of this device.
    std::vector<std::string> suffixes;  ///< With that index, and those of tombstones only.
    /// Left, right, far. The same node may occur twice and is then asked twice.
    std::array<Peer, 3> partners;
    swift::PartitionHashes hashes;  ///< Of all suffixes: the delta goes over all of them.
};

/// Fragments that do not belong to this device: deliver to where they do, then purge.
struct RevertJob {
    Partition partition;
    std::optional<int> fragment_index;  ///< Nothing: tombstones only.
    std::vector<std::string> suffixes;
    std::vector<Peer> targets;  ///< Every one must take all before anything is purged.
    /// What this device is a primary for, if it is one: then `.meta` files stay.
    std::optional<int> primary_fragment_index;
};

using Job = std::variant<SyncJob, RevertJob>;

/// Suffixes with a fragment index that no primary has. They get no job and stay where they are.
struct BadFragmentIndex {
    int fragment_index = 0;
    std::vector<std::string> suffixes;
};

struct JobPlan {
    /// The SYNC job first, if there is one, then REVERT jobs from the smallest to the largest.
    /// Swift shuffles them before it runs them.
    std::vector<Job> jobs;
    std::vector<BadFragmentIndex> bad_fragment_indexes;
    /// This device is no primary and the partition has no suffix at all, so its directory may go.
    /// Swift also removes partitions whose suffixes hold nothing countable or only bad indexes;
    /// those stay here, for an unreadable suffix looks the same.
    bool is_removable = false;
};

/// Decides what to do about one partition. `hashes` must come from a listing that succeeded, and
/// `partition` from a scan with the same ring.
/// Source: swift.obj.reconstructor.ObjectReconstructor._get_part_jobs, _get_partners.
JobPlan build_jobs(const Partition& partition, const swift::Policy& policy, const swift::Ring& ring,
                   const swift::PartitionHashes& hashes, std::mt19937_64& random);

/// The suffixes of `local` that differ at a peer: in what holds for every index, or in its own
/// index there against ours here. Suffixes that only the peer has are its own business.
/// Source: swift.obj.reconstructor.ObjectReconstructor.get_suffix_delta.
std::vector<std::string> suffix_delta(const swift::PartitionHashes& local, int local_fragment_index,
                                      const swift::PartitionHashes& remote,
                                      int remote_fragment_index);

}  // namespace fragmend::scan
