// From one partition to the jobs that its suffix hashes call for.
#include "host/scan/jobs.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace fragmend::scan {
namespace {

using Suffixes = std::vector<std::string>;

// The suffixes of a partition by what they hold.
struct Holdings {
    std::map<int, Suffixes> by_fragment_index;
    Suffixes without_data;
};

Holdings sort_out(const swift::PartitionHashes& hashes) {
    Holdings holdings;
    for (const auto& [suffix, suffix_hash] : hashes) {
        bool has_data = false;
        for (const auto& [fragment_index, hash] : suffix_hash) {
            if (!fragment_index) continue;
            has_data = true;
            holdings.by_fragment_index[*fragment_index].push_back(suffix);
        }
        if (!has_data && !suffix_hash.empty()) holdings.without_data.push_back(suffix);
    }
    return holdings;
}

std::vector<Peer> peers_of(const swift::Ring& ring, std::uint32_t partition) {
    std::vector<Peer> peers;
    for (Node& node : ring.primaries(partition)) {
        const std::size_t index = peers.size();
        peers.push_back({std::move(node), index});
    }
    return peers;
}

std::array<Peer, 3> partners_of(const std::vector<Peer>& peers, std::size_t own) {
    const std::size_t count = peers.size();
    return {peers[(own + count - 1) % count], peers[(own + 1) % count],
            peers[(own + count / 2) % count]};
}

// The primaries that hold a fragment index: one, or one per duplicate.
std::vector<Peer> holders_of(const std::vector<Peer>& peers, const swift::Policy& policy,
                             int fragment_index) {
    std::vector<Peer> holders;
    for (const Peer& peer : peers) {
        if (policy.backend_index(peer.primary_index) == fragment_index) holders.push_back(peer);
    }
    return holders;
}

// Enough primaries that tombstones can not get lost, and fewer than all.
std::vector<Peer> sample_of(const std::vector<Peer>& peers, const swift::Policy& policy,
                            std::mt19937_64& random) {
    std::vector<Peer> sample;
    const auto wanted = policy.ring_replicas() - policy.k + 1;
    std::sample(peers.begin(), peers.end(), std::back_inserter(sample), wanted, random);
    return sample;
}

Suffixes& suffixes_of(Job& job) {
    return std::visit([](auto& any) -> Suffixes& { return any.suffixes; }, job);
}

std::optional<std::string> hash_at(const swift::PartitionHashes& hashes, const std::string& suffix,
                                   std::optional<int> key) {
    const auto suffix_hash = hashes.find(suffix);
    if (suffix_hash == hashes.end()) return std::nullopt;
    const auto hash = suffix_hash->second.find(key);
    if (hash == suffix_hash->second.end()) return std::nullopt;
    return hash->second;
}

}  // namespace

JobPlan build_jobs(const Partition& partition, const swift::Policy& policy, const swift::Ring& ring,
                   const swift::PartitionHashes& hashes, std::mt19937_64& random) {
    JobPlan plan;
    Holdings holdings = sort_out(hashes);
    const std::vector<Peer> peers = peers_of(ring, partition.number);

    const auto own = ring.primary_index(partition.number, partition.device.id);
    std::optional<int> own_fragment_index;
    if (own) {
        own_fragment_index = policy.backend_index(*own);
        auto held = holdings.by_fragment_index.extract(*own_fragment_index);
        plan.jobs.emplace_back(SyncJob{partition, *own_fragment_index,
                                       held ? std::move(held.mapped()) : Suffixes(),
                                       partners_of(peers, *own), hashes});
    }

    std::vector<std::pair<std::size_t, int>> order;
    for (const auto& [fragment_index, suffixes] : holdings.by_fragment_index) {
        order.emplace_back(suffixes.size(), fragment_index);
    }
    std::ranges::sort(order);
    for (const auto& [count, fragment_index] : order) {
        Suffixes& suffixes = holdings.by_fragment_index[fragment_index];
        std::vector<Peer> targets = holders_of(peers, policy, fragment_index);
        if (targets.empty()) {
            plan.bad_fragment_indexes.push_back({fragment_index, std::move(suffixes)});
            continue;
        }
        plan.jobs.emplace_back(RevertJob{partition, fragment_index, std::move(suffixes),
                                         std::move(targets), own_fragment_index});
    }

    if (!holdings.without_data.empty() && plan.jobs.empty()) {
        plan.jobs.emplace_back(RevertJob{partition, std::nullopt, std::move(holdings.without_data),
                                         sample_of(peers, policy, random), own_fragment_index});
    } else if (!holdings.without_data.empty()) {
        Suffixes& first = suffixes_of(plan.jobs.front());
        first.insert(first.end(), holdings.without_data.begin(), holdings.without_data.end());
    }
    plan.is_removable = !own && hashes.empty();
    return plan;
}

std::vector<std::string> suffix_delta(const swift::PartitionHashes& local, int local_fragment_index,
                                      const swift::PartitionHashes& remote,
                                      int remote_fragment_index) {
    std::vector<std::string> differing;
    for (const auto& [suffix, suffix_hash] : local) {
        const bool same =
            hash_at(local, suffix, std::nullopt) == hash_at(remote, suffix, std::nullopt) &&
            hash_at(local, suffix, local_fragment_index) ==
                hash_at(remote, suffix, remote_fragment_index);
        if (!same) differing.push_back(suffix);
    }
    return differing;
}

}  // namespace fragmend::scan
