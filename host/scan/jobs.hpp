// From a partition's suffix hashes to the jobs that it needs: pure decisions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "host/base/node.hpp"
#include "host/scan/hash_pairs.hpp"
#include "host/swift/hashes_types.hpp"
#include "host/swift/policy.hpp"
#include "host/swift/ring.hpp"
#include "host/swift/suffix_name.hpp"

namespace fragmend::scan {

/// A primary and its place in the ring's row.
struct Partner {
    Node node;
    std::size_t primary_index = 0;
    std::size_t round = 0;  ///< Of the pass in which a SYNC job sends to it, see `round_of`.
    bool operator==(const Partner&) const = default;
};

/// One partition directory of one local device.
struct Partition {
    int policy_index = 0;
    Node local_device;
    std::uint32_t number = 0;
    std::string name;  ///< As it stands on the disk.
    std::string path;
};

/// This device is a primary: its partners shall have their fragments of every local suffix.
struct SyncJob {
    std::string partition;  ///< Decimal.
    std::string path;
    Node local_device;
    int fragment_index = 0;  ///< Backend index of this device.
    /// That have this index, then those without any data.
    std::vector<swift::SuffixName> suffixes;
    std::vector<Partner> partners;  ///< Left, right, far; repetitions kept as Swift keeps them.
    HashPairs hashes;               ///< Of the whole partition, under this index and none.
};

/// Fragments that belong elsewhere.
struct RevertJob {
    std::string partition;
    std::string path;
    Node local_device;
    std::optional<int> fragment_index;  ///< Nothing: suffixes with tombstones only.
    std::vector<swift::SuffixName> suffixes;
    std::vector<Partner> targets;
    std::optional<int> primary_fragment_index;  ///< Of this device, when it is a primary.
};

struct PartitionJobs {
    std::optional<SyncJob> sync;
    std::vector<RevertJob> reverts;
    std::vector<std::string> warnings;  ///< In Swift's wording.
    /// This device is no primary and the partition has no suffix at all, so its directory may go.
    /// Swift removes every partition without jobs; one whose suffixes hold nothing countable or
    /// only bad indexes stays here, for a suffix that could not be read looks the same.
    bool is_removable = false;
    bool empty() const { return !sync && reverts.empty(); }
};

/// Left, right and far neighbour of primary `index`, in this order, repetitions kept.
/// Source: swift.obj.reconstructor._get_partners.
std::vector<Partner> partners_of(std::size_t index, const std::vector<Node>& primaries);

/// All jobs of `partition`. `random` chooses the sample of primaries of a tombstone-only revert.
/// Source: swift.obj.reconstructor.ObjectReconstructor._get_part_jobs.
PartitionJobs build_jobs(const Partition& partition, const swift::PartitionHashes& hashes,
                         const swift::Ring& ring, const swift::Policy& policy,
                         std::mt19937_64& random);

}  // namespace fragmend::scan
