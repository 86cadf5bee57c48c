// Writes pickles of protocol 2 byte for byte as Python 3's pickler does for Swift's data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fragmend::swift {

/// One pickle under construction: push values in order, then `finish`.
/// Byte strings take the detour through `_codecs.encode` that protocol 2 needs, and the objects
/// that CPython has only one of (the empty byte string, those of one byte) come from the memo the
/// second time, so that the bytes equal what Swift itself would have written.
class PickleWriter {
  public:
    PickleWriter();

    void none() { out_ += 'N'; }
    void boolean(bool value) { out_ += value ? '\x88' : '\x89'; }
    void integer(std::int64_t value);
    void floating(double value);
    /// UTF-8.
    void text(std::string_view utf8);
    void bytes(std::string_view bytes);

    /// A dict of `count` items: `begin_dict`, then before each item `begin_item` and its key and
    /// value, then `end_dict`.
    struct Dict {
        std::size_t count = 0;
        std::size_t written = 0;
    };
    Dict begin_dict(std::size_t count);
    void begin_item(Dict& dict);
    void end_dict(const Dict& dict);

    /// Ends the pickle and hands it out.
    std::string finish();

  private:
    void memoize();
    void recall(std::uint32_t slot);
    void little_endian(std::uint32_t value, std::size_t width);

    std::string out_;
    std::uint32_t memo_count_ = 0;
    std::optional<std::uint32_t> encode_slot_;
    std::optional<std::uint32_t> latin1_slot_;
    std::optional<std::uint32_t> empty_slot_;
    std::array<std::optional<std::uint32_t>, 256> single_byte_slots_;
};

}  // namespace fragmend::swift
