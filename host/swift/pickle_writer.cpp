// Protocol 2 opcodes as CPython 3 emits them.
#include "host/swift/pickle_writer.hpp"

#include <bit>

#include "host/base/error.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t items_per_batch = 1000;

}  // namespace

PickleWriter::PickleWriter() {
    out_ += "\x80\x02";
}

void PickleWriter::little_endian(std::uint32_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i)
        out_ += static_cast<char>(value >> (8 * i) & 0xff);
}

void PickleWriter::memoize() {
    const bool narrow = memo_count_ < 256;
    out_ += narrow ? 'q' : 'r';
    little_endian(memo_count_++, narrow ? 1 : 4);
}

void PickleWriter::recall(std::uint32_t slot) {
    const bool narrow = slot < 256;
    out_ += narrow ? 'h' : 'j';
    little_endian(slot, narrow ? 1 : 4);
}

void PickleWriter::integer(std::int64_t value) {
    if (value >= 0 && value <= 0xff) {
        out_ += 'K';
        little_endian(static_cast<std::uint32_t>(value), 1);
    } else if (value >= 0 && value <= 0xffff) {
        out_ += 'M';
        little_endian(static_cast<std::uint32_t>(value), 2);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        out_ += 'J';
        little_endian(static_cast<std::uint32_t>(value), 4);
    } else {
        // LONG1: the shortest two's complement form.
        std::size_t width = 5;
        while (width < 8 && (value >> (8 * width - 1)) != 0 && (value >> (8 * width - 1)) != -1) {
            ++width;
        }
        out_ += '\x8a';
        little_endian(static_cast<std::uint32_t>(width), 1);
        for (std::size_t i = 0; i < width; ++i)
            out_ += static_cast<char>(value >> (8 * i) & 0xff);
    }
}

void PickleWriter::floating(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    out_ += 'G';
    for (int shift = 56; shift >= 0; shift -= 8)
        out_ += static_cast<char>(bits >> shift & 0xff);
}

void PickleWriter::text(std::string_view utf8) {
    out_ += 'X';
    little_endian(static_cast<std::uint32_t>(utf8.size()), 4);
    out_ += utf8;
    memoize();
}

void PickleWriter::bytes(std::string_view bytes) {
    if (bytes.empty()) {
        if (empty_slot_) return recall(*empty_slot_);
        out_ += "c__builtin__\nbytes\n";
        memoize();
        out_ += ")R";
        empty_slot_ = memo_count_;
        return memoize();
    }
    std::optional<std::uint32_t>* single = nullptr;
    if (bytes.size() == 1) {
        single = &single_byte_slots_[static_cast<unsigned char>(bytes.front())];
        if (*single) return recall(**single);
    }
    if (encode_slot_) {
        recall(*encode_slot_);
    } else {
        out_ += "c_codecs\nencode\n";
        encode_slot_ = memo_count_;
        memoize();
    }
    text(from_latin1(bytes));
    if (latin1_slot_) {
        recall(*latin1_slot_);
    } else {
        latin1_slot_ = memo_count_;
        text("latin1");
    }
    out_ += '\x86';
    memoize();
    out_ += 'R';
    if (single != nullptr) *single = memo_count_;
    memoize();
}

PickleWriter::Dict PickleWriter::begin_dict(std::size_t count) {
    out_ += '}';
    memoize();
    return {count, 0};
}

void PickleWriter::begin_item(Dict& dict) {
    if (dict.count > 1 && dict.written % items_per_batch == 0) {
        if (dict.written > 0) out_ += 'u';
        out_ += '(';
    }
    ++dict.written;
}

void PickleWriter::end_dict(const Dict& dict) {
    FRAGMEND_ASSERT(dict.written == dict.count);
    if (dict.count == 0) return;
    if (dict.count == 1) {
        out_ += 's';
        return;
    }
    out_ += 'u';
    // CPython looks for more after each full batch, and writes the empty one it finds.
    if (dict.count % items_per_batch == 0) out_ += "(u";
}

std::string PickleWriter::finish() {
    out_ += '.';
    return std::move(out_);
}

}  // namespace fragmend::swift
