// Pickles of hashes and lines of invalidations.
#include "host/swift/hashes_pickle.hpp"

#include <cstdint>

#include "host/base/bytes.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

constexpr PickleLimits hashes_limits{
    .input_bytes = std::size_t{64} << 20,
    .items = 2'000'000,
    .text_bytes = std::size_t{64} << 20,
    .depth = 4,
};

bool is_true(const PickleNode& node) {
    if (const auto* flag = std::get_if<bool>(&node)) return *flag;
    if (const auto* number = std::get_if<std::int64_t>(&node)) return *number != 0;
    return false;
}

bool is_suffix(std::string_view name) {
    return is_lower_hex(name, 3);
}

/// The one MD5 over whole objects.
std::optional<SuffixHash> whole_hash_from(const PickleNode& node) {
    const auto text = characters_of(node);
    if (!text || !is_lower_hex(*text, md5_hex_length)) return std::nullopt;
    SuffixHash hash;
    hash.emplace(std::nullopt, *text);
    return hash;
}

}  // namespace

std::optional<SuffixHash> suffix_hash_from(const PickleDocument& document, PickleNodeIndex node,
                                           std::size_t& items_left) {
    const auto entries = document.entries(node, items_left);
    if (!entries || entries->size() > 2 * suffix_hashes_max) return std::nullopt;
    SuffixHash hash;
    for (std::size_t i = 0; i + 1 < entries->size(); i += 2) {
        const PickleNode& key = document.nodes[(*entries)[i]];
        std::optional<int> index;
        if (const auto* number = std::get_if<std::int64_t>(&key)) {
            if (*number < 0 || *number > INT32_MAX) return std::nullopt;
            index = static_cast<int>(*number);
        } else if (!std::holds_alternative<PickleNone>(key)) {
            return std::nullopt;
        }
        const auto text = characters_of(document.nodes[(*entries)[i + 1]]);
        if (!text || !is_lower_hex(*text, md5_hex_length)) return std::nullopt;
        hash[index] = *text;
    }
    return hash;
}

void write_suffix_hash(PickleWriter& writer, const SuffixHash& hash, SuffixForm form) {
    if (form == SuffixForm::whole) {
        FRAGMEND_ASSERT(hash.size() == 1 && !hash.begin()->first);
        writer.text(hash.begin()->second);
        return;
    }
    auto dict = writer.begin_dict(hash.size());
    for (const auto& [index, digest] : hash) {
        writer.begin_item(dict);
        if (index) {
            writer.integer(*index);
        } else {
            writer.none();
        }
        writer.text(digest);
    }
    writer.end_dict(dict);
}

StoredHashes parse_stored_hashes(std::string_view pickle, SuffixForm form) {
    const StoredHashes nothing{.valid = false, .form = form, .suffixes = {}};
    const auto document = read_pickle_document(pickle, hashes_limits);
    if (!document) return nothing;
    std::size_t items_left = hashes_limits.items;
    const auto entries = document->entries(document->root, items_left);
    if (!entries) return nothing;
    StoredHashes hashes{.valid = true, .form = form, .suffixes = {}};
    for (std::size_t i = 0; i + 1 < entries->size(); i += 2) {
        const auto name = characters_of(document->nodes[(*entries)[i]]);
        const PickleNodeIndex stored = (*entries)[i + 1];
        if (!name) return nothing;
        if (*name == "valid") {
            hashes.valid = is_true(document->nodes[stored]);
        } else if (is_suffix(*name)) {
            hashes.suffixes[std::string(*name)] =
                form == SuffixForm::whole ? whole_hash_from(document->nodes[stored])
                                          : suffix_hash_from(*document, stored, items_left);
        } else if (*name != "updated") {
            return nothing;
        }
    }
    return items_left == 0 ? nothing : hashes;
}

std::string dump_stored_hashes(const StoredHashes& hashes, double updated_s) {
    PickleWriter writer;
    auto dict = writer.begin_dict(hashes.suffixes.size() + 2);
    writer.begin_item(dict);
    writer.text("valid");
    writer.boolean(hashes.valid);
    for (const auto& [suffix, hash] : hashes.suffixes) {
        writer.begin_item(dict);
        writer.text(suffix);
        if (!hash) {
            writer.none();
            continue;
        }
        write_suffix_hash(writer, *hash, hashes.form);
    }
    writer.begin_item(dict);
    writer.text("updated");
    writer.floating(updated_s);
    writer.end_dict(dict);
    return writer.finish();
}

Invalidations parse_invalidations(std::string_view text) {
    Invalidations result;
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        const auto line = text.substr(0, end);
        std::size_t consumed = end == std::string_view::npos ? text.size() : end + 1;
        if (text.substr(line.size(), 2) == "\r\n") ++consumed;
        text.remove_prefix(consumed);
        result.any = true;
        const auto suffix = strip(line);
        if (is_suffix(suffix)) {
            result.suffixes.emplace(suffix);
        } else {
            result.garbage = true;
        }
    }
    return result;
}

}  // namespace fragmend::swift
