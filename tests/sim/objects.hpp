// The objects of a simulated world: what every fragment of every version has to be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/md5.hpp"
#include "host/base/timestamp.hpp"

namespace fragmend::sim {

inline constexpr std::size_t header_bytes = 80;

/// One version of one object.
struct Version {
    std::string hash;       ///< 32 hex digits; the last three are the suffix.
    std::string partition;  ///< Decimal.
    std::string path;       ///< `/account/container/object`.
    Timestamp data;
    std::optional<Timestamp> meta;  ///< There is a `.meta` of this time.
    bool tombstone = false;
    std::string ec_etag;
    std::uint64_t seed = 0;  ///< Of the bytes.
    std::size_t piece_bytes = 0;
    std::size_t segment_bytes = 0;  ///< As its metadata says; 0: it does not say.
    std::uint64_t archive_bytes = 0;

    std::string suffix() const { return hash.substr(29); }
};

struct Fragment {
    std::string bytes;
    std::string md5;  ///< 32 hex digits.
};

/// Fragment `index` of `version`: pieces, each with a header and base ^ mask(index). An odd number
/// of fragments XORs to the base; a missing or a wrong byte of any of them changes the result. The
/// header's last twenty bytes are covered by nothing but the MD5.
Fragment make_fragment(const Version& version, std::uint8_t index);

void put_header(char* at, std::uint64_t seed, std::uint8_t index, std::size_t piece_bytes);
/// Whether the checked part of a header says `index` and `piece_bytes`.
bool is_good_header(const char* at, std::uint8_t index, std::size_t piece_bytes);
/// What a good header says of its piece's length.
std::optional<std::size_t> announced_piece(const char* at);
std::uint64_t seed_of_header(const char* at);
char mask_of(std::uint8_t index);

/// Makes each fragment once.
class Truth {
  public:
    const Fragment& of(const Version& version, std::uint8_t index) {
        const auto [found, is_new] = fragments_.try_emplace({version.seed, index});
        if (is_new) {
            found->second = make_fragment(version, index);
            owners_[found->second.md5] = {version.seed, index};
        }
        return found->second;
    }
    /// Whose bytes have this MD5: seed and index, nothing for damaged ones.
    std::optional<std::pair<std::uint64_t, std::uint8_t>> owner(const std::string& md5) const {
        const auto found = owners_.find(md5);
        if (found == owners_.end()) return std::nullopt;
        return found->second;
    }

  private:
    std::map<std::pair<std::uint64_t, std::uint8_t>, Fragment> fragments_;
    std::map<std::string, std::pair<std::uint64_t, std::uint8_t>> owners_;
};

}  // namespace fragmend::sim
