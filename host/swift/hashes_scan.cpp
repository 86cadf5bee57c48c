// A scanner for dicts of dicts of digests.
#include "host/swift/hashes_scan.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/pickle_input.hpp"

namespace fragmend::swift {
namespace {

constexpr std::size_t md5_hex_length = 32;
constexpr std::uint64_t protocol = 2;
/// Of a pickle, roughly, for each digest in it.
constexpr std::size_t bytes_a_hash = 40;
constexpr std::size_t hashes_at_once_max = 16384;

class Scanner {
  public:
    explicit Scanner(std::string_view pickle) : pickle_(pickle), input_(pickle) {
        found_.hashes.reserve(std::min(pickle.size() / bytes_a_hash + 1, hashes_at_once_max));
    }

    std::optional<ScannedHashes> run() {
        if (!takes('\x80') || input_.byte() != protocol || !takes('}') || !skip_memo())
            return std::nullopt;
        if (!items([this] { return suffix(); }) || !takes('.')) return std::nullopt;
        return std::move(found_);
    }

  private:
    bool next_is(char opcode) const {
        return input_.offset() < pickle_.size() && pickle_[input_.offset()] == opcode;
    }
    bool takes(char opcode) {
        if (!next_is(opcode)) return false;
        input_.byte();
        return true;
    }
    /// What is put into the memo is never fetched from it in this shape.
    bool skip_memo() {
        if (takes('q')) return input_.take(1).has_value();
        if (takes('r')) return input_.take(4).has_value();
        return true;
    }
    std::optional<std::string_view> text() {
        if (!takes('X')) return std::nullopt;
        const auto characters = input_.counted(4);
        return characters && skip_memo() ? characters : std::nullopt;
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
            } while (!next_is('u'));
            input_.byte();
        }
        return true;
    }
    bool begins_key() const {
        // Within a suffix `X` and what closes a dict belong to the dict around it.
        if (!in_suffix_) return next_is('X');
        return next_is('N') || next_is('K') || next_is('M') || next_is('J');
    }

    /// A suffix and its dict, or what hashes.pkl says besides.
    bool suffix() {
        const auto name = text();
        if (!name) return false;
        if (*name == "valid") {
            found_.is_file = true;
            found_.valid = next_is('\x88');
            return takes('\x88') || takes('\x89');
        }
        if (*name == "updated") {
            found_.is_file = true;
            return takes('G') && input_.take(8).has_value();
        }
        if (!is_suffix_name(*name) || !takes('}') || !skip_memo()) return false;
        const std::size_t before = found_.hashes.size();
        in_suffix_ = true;
        const bool read = items([this, name] { return digest(*name); });
        in_suffix_ = false;
        if (found_.hashes.size() == before)
            found_.hashes.push_back({*name, ScannedHash::no_hashes, {}});
        return read;
    }

    bool digest(std::string_view suffix) {
        const auto key = index();
        const auto characters = text();
        if (!key || !characters || !is_lower_hex(*characters, md5_hex_length)) return false;
        found_.hashes.push_back({suffix, *key, *characters});
        return true;
    }

    std::optional<std::int32_t> index() {
        if (takes('N')) return ScannedHash::no_index;
        std::optional<std::uint64_t> number;
        if (takes('K')) {
            number = input_.little_endian(1);
        } else if (takes('M')) {
            number = input_.little_endian(2);
        }
        if (!number) return std::nullopt;
        return static_cast<std::int32_t>(*number);
    }

    std::string_view pickle_;
    PickleInput input_;
    ScannedHashes found_;
    bool in_suffix_ = false;
};

}  // namespace

std::optional<ScannedHashes> scan_hashes(std::string_view pickle) {
    return Scanner(pickle).run();
}

}  // namespace fragmend::swift
