// The suffix hashes of one partition, as hashes.pkl and the REPLICATE answer hold them.
#pragma once

#include <algorithm>
#include <array>
#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "host/base/error.hpp"

namespace fragmend::swift {

/// How long anybody waits for the lock of a partition's hashes, as Swift does.
inline constexpr double hash_lock_timeout_s = 10;

inline constexpr std::size_t md5_hex_length = 32;

/// Hashes of one suffix: far more than any policy has fragments. A file or an answer with more is not
/// believed; to sort in millions of them would take hours.
inline constexpr std::size_t suffix_hashes_max = 1024;

/// An MD5 in hex: at most `md5_hex_length` characters, held in place, since a partition has
/// thousands of them.
class HashText {
  public:
    HashText() = default;
    HashText(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
        FRAGMEND_ASSERT(text.size() <= text_.size());
        std::copy(text.begin(), text.end(), text_.begin());
    }
    HashText(const std::string& text) : HashText(std::string_view(text)) {}
    HashText(const char* text) : HashText(std::string_view(text)) {}
    operator std::string_view() const { return {text_.data(), size_}; }
    bool operator==(const HashText&) const = default;
    friend std::ostream& operator<<(std::ostream& out, const HashText& text) {
        return out << std::string_view(text);
    }

  private:
    std::array<char, md5_hex_length> text_{};
    std::uint8_t size_ = 0;
};

/// How a policy hashes a suffix: a dict by fragment index; or, of whole objects, one MD5, which we
/// keep under no index and Swift as plain text.
enum class SuffixForm : std::uint8_t { by_index, whole };

/// Hashes of one suffix: fragment index to MD5 hex; no index is Swift's `None` key, which covers
/// tombstones, metadata and durability. Empty when nothing countable lies in the suffix.
/// Source: swift.obj.diskfile.ECDiskFileManager._hash_suffix, DiskFileManager._hash_suffix.
using SuffixHash = boost::container::flat_map<
    std::optional<int>, HashText, std::less<>,
    boost::container::small_vector<std::pair<std::optional<int>, HashText>, 3>>;

/// Suffix (three lower-case hex digits) to its hashes, in one piece of memory: most passes build it
/// only to find that nothing has changed. To be filled in the order of suffixes.
using PartitionHashes = boost::container::flat_map<std::string, SuffixHash, std::less<>>;

}  // namespace fragmend::swift
