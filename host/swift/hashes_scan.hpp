// Hash pickles of the one shape that Swift and we write, read from front to end without a tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fragmend::swift {

/// One hash of one suffix, or a suffix that has none. Points into the pickle.
struct ScannedHash {
    static constexpr std::int32_t no_index = -1;   ///< Swift's `None` key.
    static constexpr std::int32_t no_hashes = -2;  ///< An empty dict; `digest` is empty.
    std::string_view suffix;                       ///< Three lower-case hex digits.
    std::uint16_t number = 0;                      ///< Of the suffix, see `suffix_number`.
    std::int32_t index = no_index;
    std::string_view digest;  ///< 32 bytes; that they are hex digits is for the reader to check.

    bool operator==(const ScannedHash&) const = default;
};

/// What a dict of suffixes says, in its order; hashes of one suffix are neighbours. A suffix or an
/// index that comes twice comes twice here, too.
struct ScannedHashes {
    std::vector<ScannedHash> hashes;
    bool valid = true;     ///< The value of `valid`, where the dict has it.
    bool is_file = false;  ///< It has `valid` or `updated`, as hashes.pkl has and no answer.
};

/// Nothing for anything but protocol 2 with each string written out, which is all that Python's
/// pickler makes of hashes by index: whatever else a pickle may say is for `read_pickle_document`.
/// Source: swift.obj.diskfile.write_hashes, swift.obj.server.ObjectController.REPLICATE.
std::optional<ScannedHashes> scan_hashes(std::string_view pickle);

}  // namespace fragmend::swift
