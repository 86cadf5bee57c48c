// Reads Python pickles as plain data: no code is ever looked up or run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/base/error.hpp"

namespace fragmend::swift {

struct PickleValue;
struct PickleItem;

struct PickleNone {
    bool operator==(const PickleNone&) const = default;
};
/// A unicode string, as valid UTF-8 (lone surrogates in their three-byte form, as Python writes).
struct PickleText {
    std::string utf8;
    bool operator==(const PickleText&) const = default;
};
/// A byte string; Python 2's `str` counts as one.
struct PickleBytes {
    std::string bytes;
    bool operator==(const PickleBytes&) const = default;
};
/// A list or a tuple.
struct PickleSequence {
    std::vector<PickleValue> items;
    bool operator==(const PickleSequence&) const;
};
/// A dict in the order of the pickle; later duplicates of a key follow earlier ones.
struct PickleDict {
    std::vector<PickleItem> items;
    bool operator==(const PickleDict&) const;
};

/// An `array.array('H')`, as the rows of a ring are.
struct PickleArray {
    std::vector<std::uint16_t> items;
    bool operator==(const PickleArray&) const = default;
};

/// One value of a pickle, owning everything below it.
struct PickleValue {
    std::variant<PickleNone, bool, std::int64_t, double, PickleText, PickleBytes, PickleSequence,
                 PickleDict, PickleArray>
        value;

    template <typename T>
    const T* as() const {
        return std::get_if<T>(&value);
    }
    /// The characters of a text or a byte string, nullptr for anything else.
    const std::string* characters() const;
    bool operator==(const PickleValue&) const = default;
};

/// One entry of a dict.
struct PickleItem {
    PickleValue key;
    PickleValue value;
    bool operator==(const PickleItem&) const = default;
};

inline bool PickleSequence::operator==(const PickleSequence& other) const {
    return items == other.items;
}
inline bool PickleDict::operator==(const PickleDict& other) const {
    return items == other.items;
}

/// What a pickle may cost before it is refused.
struct PickleLimits {
    std::size_t input_bytes = std::size_t{64} << 20;
    std::size_t items = std::size_t{4} << 20;  ///< Values made, copies through the memo included.
    std::size_t text_bytes = std::size_t{128} << 20;  ///< Of strings and arrays, with copies.
    std::size_t depth = 32;
};

/// What a pickle is about, which decides over the globals that it may name.
enum class PickleSubject : std::uint8_t { metadata_or_hashes, ring };

/// Reads one pickle of protocol 0 to 4; bytes after its end are ignored, as Python does.
/// Globals: only `_codecs.encode(text, 'latin1')`, empty `bytes()` and `dict()`, and Swift's
/// HeaderKeyDict rebuilt as a plain dict; in a ring also `array.array('H')` and RingData, which
/// becomes the dict of its attributes. Integers must fit 64 bits.
/// Errors: bad_pickle, with the byte offset.
Result<PickleValue> read_pickle(std::string_view bytes, const PickleLimits& limits = {},
                                PickleSubject subject = PickleSubject::metadata_or_hashes);

}  // namespace fragmend::swift
