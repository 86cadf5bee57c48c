// Looking up suffixes by their bits.
#include "host/scan/agreement.hpp"

#include <bit>
#include <bitset>
#include <optional>

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_scan.hpp"

namespace fragmend::scan {
namespace {

using swift::HashText;
using swift::ScannedHash;

}  // namespace

Agreement::Agreement(const swift::PartitionHashes& local, int local_index) {
    pairs_.reserve(local.size());
    for (const auto& [suffix, hash] : local) {
        FRAGMEND_ASSERT(swift::is_suffix_name(suffix));
        const auto number = swift::suffix_number(suffix);
        auto& word = present_[number / 64];
        if (word == 0) before_[number / 64] = static_cast<std::uint16_t>(pairs_.size());
        word |= std::uint64_t{1} << number % 64;
        Pair& pair = pairs_.emplace_back();
        for (const auto& [index, digest] : hash) {
            if (!index) pair.none = digest;
            if (index == local_index) pair.own = digest;
        }
        if (pair.none != HashText() || pair.own != HashText()) ++counting_;
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
    std::bitset<swift::suffixes_max> answered;
    std::size_t equal = 0;
    const auto& hashes = scanned->hashes;
    for (std::size_t i = 0; i < hashes.size();) {
        const std::string_view suffix = hashes[i].suffix;
        const std::size_t number = hashes[i].number;
        if (answered.test(number)) return false;
        answered.set(number);
        std::string_view none, own;
        for (; i < hashes.size() && hashes[i].suffix.data() == suffix.data(); ++i) {
            const ScannedHash& hash = hashes[i];
            if (hash.index == ScannedHash::no_hashes) continue;
            if (hash.index != ScannedHash::no_index && hash.index != remote_index) {
                if (!is_lower_hex(hash.digest, swift::md5_hex_length)) return false;
                continue;
            }
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
