// A scanner for dicts of dicts of digests.
#include "host/swift/hashes_scan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "host/swift/directory.hpp"
#include "host/swift/hashes_types.hpp"

namespace fragmend::swift {
namespace {

constexpr char protocol = 2;
/// Of a pickle, roughly, for each digest in it.
constexpr std::size_t bytes_a_hash = 40;
constexpr std::size_t hashes_at_once_max = 16384;

class Scanner {
  public:
    explicit Scanner(std::string_view pickle)
        : at_(pickle.data()), end_(pickle.data() + pickle.size()) {
        found_.hashes.reserve(std::min(pickle.size() / bytes_a_hash + 1, hashes_at_once_max));
    }

    std::optional<ScannedHashes> run() {
        if (!takes('\x80') || !takes(protocol) || !takes('}') || !skip_memo()) return std::nullopt;
        if (!items([this] { return suffix(); }) || !takes('.')) return std::nullopt;
        return std::move(found_);
    }

  private:
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    bool next_is(char opcode) const { return at_ != end_ && *at_ == opcode; }
    bool takes(char opcode) {
        if (!next_is(opcode)) return false;
        ++at_;
        return true;
    }
    bool skip(std::size_t bytes) {
        if (bytes > left()) return false;
        at_ += bytes;
        return true;
    }
    /// What is put into the memo is never fetched from it in this shape.
    bool skip_memo() {
        if (takes('q')) return skip(1);
        if (takes('r')) return skip(4);
        return true;
    }
    /// Of `width` bytes that are there.
    std::uint32_t little_endian(std::size_t width) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < width; ++i)
            value |= std::uint32_t{static_cast<unsigned char>(at_[i])} << 8 * i;
        at_ += width;
        return value;
    }
    /// Nothing, which has no place in the pickle, for what is no text.
    std::string_view text() {
        constexpr std::size_t length_bytes = 4;
        if (!takes('X') || left() < length_bytes) return {};
        const std::size_t length = little_endian(length_bytes);
        const std::string_view characters(at_, length <= left() ? length : 0);
        return skip(length) && skip_memo() ? characters : std::string_view();
    }

    /// The items of a dict: one with SETITEM, more in batches between MARK and SETITEMS.
    template <typename Item>
    bool items(Item item) {
        if (!next_is('(')) {
            if (!begins_key()) return true;
            return item() && takes('s');
        }
        while (takes('(')) {
            do {
                if (!item()) return false;
            } while (!takes('u'));
        }
        return true;
    }
    bool begins_key() const {
        // Within a suffix `X` and what closes a dict belong to the dict around it.
        if (!in_suffix_) return next_is('X');
        return next_is('N') || next_is('K') || next_is('M') || next_is('J');
    }

    /// A suffix and its dict, or what hashes.pkl says besides them.
    bool suffix() {
        const auto name = text();
        const std::uint16_t number = suffix_number(name);
        if (number == suffixes_max) return attribute(name);
        if (!takes('}') || !skip_memo()) return false;
        const std::size_t before = found_.hashes.size();
        in_suffix_ = true;
        const bool read = items([this, name, number] { return digest(name, number); });
        in_suffix_ = false;
        if (found_.hashes.size() == before)
            found_.hashes.push_back({name, number, ScannedHash::no_hashes, {}});
        return read;
    }

    /// What hashes.pkl says of itself.
    bool attribute(std::string_view name) {
        found_.is_file = true;
        if (name == "updated") return takes('G') && skip(8);
        found_.valid = next_is('\x88');
        return name == "valid" && (takes('\x88') || takes('\x89'));
    }

    bool digest(std::string_view suffix, std::uint16_t number) {
        const auto key = index();
        constexpr std::string_view opening("X\x20\0\0\0", 5);  // A text of 32 bytes.
        if (key == no_key || left() < opening.size() + md5_hex_length) return false;
        if (std::memcmp(at_, opening.data(), opening.size()) != 0) return false;
        const std::string_view characters(at_ + opening.size(), md5_hex_length);
        at_ += opening.size() + md5_hex_length;
        found_.hashes.push_back({suffix, number, key, characters});
        return skip_memo();
    }

    /// No key that a dict of hashes can have.
    static constexpr std::int32_t no_key = -3;
    std::int32_t index() {
        if (takes('N')) return ScannedHash::no_index;
        const std::size_t width = takes('K') ? 1 : takes('M') ? 2 : 0;
        if (width == 0 || left() < width) return no_key;
        return static_cast<std::int32_t>(little_endian(width));
    }

    const char* at_;
    const char* end_;
    ScannedHashes found_;
    bool in_suffix_ = false;
};

}  // namespace

std::optional<ScannedHashes> scan_hashes(std::string_view pickle) {
    return Scanner(pickle).run();
}

}  // namespace fragmend::swift
