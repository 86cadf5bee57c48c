// Building of SYNC and REVERT jobs.
#include "host/scan/jobs.hpp"

#include <algorithm>
#include <map>

#include "host/scan/turns.hpp"

namespace fragmend::scan {
namespace {

std::string bracketed(const std::vector<swift::SuffixName>& suffixes) {
    std::string text = "[";
    for (const auto& suffix : suffixes) {
        if (text.size() > 1) text += ", ";
        text.append("'").append(suffix).append("'");
    }
    return text + "]";
}

/// The primaries that shall hold `index`: one, or as many as the duplication factor.
std::vector<Partner> holders_of(int index, const std::vector<Node>& primaries,
                                const swift::Policy& policy) {
    std::vector<Partner> holders;
    auto place = static_cast<std::size_t>(index);
    for (int copy = 0; copy < policy.duplication_factor && place < primaries.size(); ++copy) {
        holders.push_back({primaries[place], place, 0});
        place += static_cast<std::size_t>(policy.unique_fragments());
    }
    return holders;
}

std::vector<Partner> sample_of(const std::vector<Node>& primaries, std::size_t count,
                               std::mt19937_64& random) {
    std::vector<Partner> all;
    for (std::size_t i = 0; i < primaries.size(); ++i)
        all.push_back({primaries[i], i, 0});
    std::shuffle(all.begin(), all.end(), random);
    all.resize(std::min(count, all.size()));
    return all;
}

}  // namespace

std::vector<Partner> partners_of(std::size_t index, const std::vector<Node>& primaries) {
    const std::size_t n = primaries.size();
    const std::size_t left = (index + n - 1) % n;
    const std::size_t right = (index + 1) % n;
    const std::size_t far = (index + n / 2) % n;
    std::vector<Partner> partners;
    partners.reserve(3);
    for (const std::size_t place : {left, right, far})
        partners.push_back({primaries[place], place, 0});
    return partners;
}

PartitionJobs build_jobs(const Partition& partition, const swift::PartitionHashes& hashes,
                         const swift::Ring& ring, const swift::Policy& policy,
                         std::mt19937_64& random) {
    PartitionJobs jobs;
    std::vector<swift::SuffixName> without_data;
    std::map<int, std::vector<swift::SuffixName>> by_index;
    for (const auto& [suffix, hash] : hashes) {
        if (hash.empty()) continue;
        bool has_data = false;
        for (const auto& [index, md5] : hash) {
            if (!index) continue;
            by_index[*index].push_back(suffix);
            has_data = true;
        }
        if (!has_data) without_data.push_back(suffix);
    }

    const auto primaries = ring.primaries(partition.number);
    const auto own_place = ring.primary_index(partition.number, partition.local_device.id);
    jobs.is_removable = !own_place && hashes.empty();
    std::optional<int> own_index;
    const std::string number = std::to_string(partition.number);
    if (own_place) {
        own_index = policy.backend_index(*own_place);
        SyncJob sync{number,
                     partition.path,
                     partition.local_device,
                     *own_index,
                     {},
                     partners_of(*own_place, primaries),
                     HashPairs(hashes, *own_index)};
        const std::size_t round = round_of(partition.number, *own_place, primaries.size());
        for (Partner& partner : sync.partners)
            partner.round = round;
        if (auto own = by_index.extract(*own_index)) sync.suffixes = std::move(own.mapped());
        jobs.sync = std::move(sync);
    }

    std::vector<std::pair<std::size_t, int>> order;
    for (const auto& [index, suffixes] : by_index)
        order.emplace_back(suffixes.size(), index);
    std::sort(order.begin(), order.end());
    for (const auto& [count, index] : order) {
        // Duplicated fragments make more primaries than indexes: both bounds count.
        if (index < 0 || index >= policy.unique_fragments() ||
            static_cast<std::size_t>(index) >= primaries.size()) {
            jobs.warnings.push_back("Bad fragment index " + std::to_string(index) +
                                    " for suffixes " + bracketed(by_index[index]) + " under " +
                                    partition.path);
            continue;
        }
        jobs.reverts.push_back({number, partition.path, partition.local_device, index,
                                by_index[index], holders_of(index, primaries, policy), own_index});
    }

    if (without_data.empty()) return jobs;
    if (jobs.sync || !jobs.reverts.empty()) {
        auto& first = jobs.sync ? jobs.sync->suffixes : jobs.reverts.front().suffixes;
        first.insert(first.end(), without_data.begin(), without_data.end());
    } else {
        const auto sample = static_cast<std::size_t>(policy.ring_replicas() - policy.k + 1);
        jobs.reverts.push_back({number, partition.path, partition.local_device, std::nullopt,
                                without_data, sample_of(primaries, sample, random), own_index});
    }
    return jobs;
}

}  // namespace fragmend::scan
