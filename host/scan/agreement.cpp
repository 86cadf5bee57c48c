// Looking up suffixes by their bits.
#include "host/scan/agreement.hpp"

#include <bit>
#include <bitset>
#include <optional>

#include "host/scan/suffix_delta.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_scan.hpp"

namespace fragmend::scan {
namespace {

using swift::HashText;
using swift::ScannedHash;

constexpr std::size_t suffix_count = 4096;

std::size_t digit(char c) {
    return static_cast<std::size_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}
/// Of three lower-case hex digits.
std::size_t number_of(std::string_view suffix) {
    return digit(suffix[0]) << 8 | digit(suffix[1]) << 4 | digit(suffix[2]);
}

}  // namespace

Agreement::Agreement(const swift::PartitionHashes& local, int local_index) {
    pairs_.reserve(local.size());
    for (const auto& [suffix, hash] : local) {
        FRAGMEND_ASSERT(swift::is_suffix_name(suffix));
        const auto number = number_of(suffix);
        present_[number / 64] |= std::uint64_t{1} << number % 64;
        pairs_.push_back({hash_under(hash, std::nullopt), hash_under(hash, local_index)});
        if (pairs_.back().none != HashText() || pairs_.back().own != HashText()) ++counting_;
    }
    std::size_t count = 0;
    for (std::size_t i = 0; i < words; ++i) {
        before_[i] = static_cast<std::uint16_t>(count);
        count += static_cast<std::size_t>(std::popcount(present_[i]));
    }
}

const Agreement::Pair* Agreement::find(std::size_t suffix) const {
    const std::uint64_t bit = std::uint64_t{1} << suffix % 64;
    const std::uint64_t word = present_[suffix / 64];
    if ((word & bit) == 0) return nullptr;
    return &pairs_[before_[suffix / 64] +
                   static_cast<std::size_t>(std::popcount(word & (bit - 1)))];
}

bool Agreement::holds(std::string_view answer, int remote_index) const {
    const auto scanned = swift::scan_hashes(answer);
    if (!scanned || scanned->is_file) return false;
    std::bitset<suffix_count> answered;
    std::size_t equal = 0;
    const auto& hashes = scanned->hashes;
    for (std::size_t i = 0; i < hashes.size();) {
        const std::string_view suffix = hashes[i].suffix;
        const auto number = number_of(suffix);
        if (answered.test(number)) return false;
        answered.set(number);
        std::string_view none, own;
        for (; i < hashes.size() && hashes[i].suffix.data() == suffix.data(); ++i) {
            const ScannedHash& hash = hashes[i];
            if (hash.index != ScannedHash::no_index && hash.index != remote_index) continue;
            auto& place = hash.index == ScannedHash::no_index ? none : own;
            if (!place.empty()) return false;
            place = hash.digest;
        }
        const Pair* ours = find(number);
        if (ours == nullptr) continue;
        if (std::string_view(ours->none) != none || std::string_view(ours->own) != own)
            return false;
        if (!none.empty() || !own.empty()) ++equal;
    }
    return equal == counting_;
}

}  // namespace fragmend::scan
