// Comparison of suffix hashes.
#include "host/scan/suffix_delta.hpp"

namespace fragmend::scan {
namespace {

/// Empty for a key that is not there, which no MD5 equals.
std::string_view hash_under(const swift::SuffixHash& hash, std::optional<int> key) {
    const auto found = hash.find(key);
    return found == hash.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::vector<std::string> suffix_delta(const swift::PartitionHashes& local, int local_index,
                                      const swift::PartitionHashes& remote, int remote_index) {
    static const swift::SuffixHash nothing;
    std::vector<std::string> suffixes;
    for (const auto& [suffix, ours] : local) {
        const auto found = remote.find(suffix);
        const auto& theirs = found == remote.end() ? nothing : found->second;
        if (hash_under(ours, std::nullopt) != hash_under(theirs, std::nullopt) ||
            hash_under(ours, local_index) != hash_under(theirs, remote_index)) {
            suffixes.push_back(suffix);
        }
    }
    return suffixes;
}

}  // namespace fragmend::scan
