// Comparing while reading.
#include "host/scan/agreement.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_scan.hpp"

namespace fragmend::scan {
namespace {

using swift::ScannedHash;

/// Lower-case hex of each byte.
constexpr auto byte_texts = [] {
    constexpr char digits[] = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> texts;
    for (std::size_t i = 0; i < texts.size(); ++i)
        texts[i] = {digits[i >> 4], digits[i & 0xf]};
    return texts;
}();

/// Whether `text` is `digest`, or empty where there is none.
bool says(std::string_view text, bool has_digest, const Md5Digest& digest) {
    if (!has_digest || text.size() != swift::md5_hex_length) return !has_digest && text.empty();
    std::array<char, swift::md5_hex_length> hex;
    for (std::size_t i = 0; i < digest.size(); ++i)
        std::ranges::copy(byte_texts[std::to_integer<std::size_t>(digest[i])], &hex[2 * i]);
    return std::ranges::equal(text, hex);
}

}  // namespace

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
        const HashPairs::Pair* ours = local_.find(number);
        if (ours == nullptr) continue;
        if (!says(none, ours->has_none, ours->none) || !says(own, ours->has_own, ours->own))
            return false;
        if (!none.empty() || !own.empty()) ++equal;
    }
    return equal == local_.counting();
}

}  // namespace fragmend::scan
