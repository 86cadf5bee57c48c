// Packing hashes.
#include "host/scan/hash_pairs.hpp"

#include <bit>

#include "host/base/bytes.hpp"

namespace fragmend::scan {
namespace {

unsigned value_of(char digit) {
    return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

Md5Digest packed(std::string_view hex) {
    FRAGMEND_ASSERT(is_lower_hex(hex, swift::md5_hex_length));
    Md5Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::byte>(value_of(hex[2 * i]) << 4 | value_of(hex[2 * i + 1]));
    return digest;
}

}  // namespace

HashPairs::HashPairs(const swift::PartitionHashes& hashes, int index) {
    pairs_.reserve(hashes.size());
    for (const auto& [suffix, hash] : hashes) {
        const std::size_t number = swift::suffix_number(suffix);
        FRAGMEND_ASSERT(number < swift::suffixes_max);
        auto& word = present_[number / 64];
        if (word == 0) before_[number / 64] = static_cast<std::uint16_t>(pairs_.size());
        word |= std::uint64_t{1} << number % 64;
        Pair& pair = pairs_.emplace_back();
        if (const auto none = hash.find(std::nullopt); none != hash.end()) {
            pair.none = packed(none->second);
            pair.has_none = true;
        }
        if (const auto own = hash.find(index); own != hash.end()) {
            pair.own = packed(own->second);
            pair.has_own = true;
        }
        counting_ += pair.counts();
    }
}

const HashPairs::Pair* HashPairs::find(std::size_t suffix) const {
    const std::uint64_t bit = std::uint64_t{1} << suffix % 64;
    const std::uint64_t word = present_[suffix / 64];
    if ((word & bit) == 0) return nullptr;
    return &pairs_[before_[suffix / 64] +
                   static_cast<std::size_t>(std::popcount(word & (bit - 1)))];
}

}  // namespace fragmend::scan
