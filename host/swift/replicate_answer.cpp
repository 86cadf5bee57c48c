// Reading of a REPLICATE answer.
#include "host/swift/replicate_answer.hpp"

#include "host/base/bytes.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/pickle.hpp"

namespace fragmend::swift {
namespace {

constexpr std::int64_t fragment_index_end = 256;

Error bad_answer(std::string what) { return {errc::bad_pickle, "suffix hashes: " + std::move(what)}; }

Result<SuffixHash> read_suffix_hash(const std::string& suffix, const PickleValue& value) {
    const auto* dict = value.as<PickleDict>();
    if (dict == nullptr) return bad_answer("no dict for suffix " + suffix);
    SuffixHash hash;
    for (const auto& [key, md5] : dict->items) {
        const std::string* text = md5.characters();
        if (text == nullptr || !is_lower_hex(*text, 32)) return bad_answer("no MD5 in suffix " + suffix);
        if (key.as<PickleNone>() != nullptr) {
            hash.insert_or_assign(std::nullopt, *text);
            continue;
        }
        const auto* index = key.as<std::int64_t>();
        if (index == nullptr || *index < 0 || *index >= fragment_index_end) {
            return bad_answer("bad fragment index in suffix " + suffix);
        }
        hash.insert_or_assign(static_cast<int>(*index), *text);
    }
    return hash;
}

}  // namespace

Result<PartitionHashes> parse_replicate_answer(std::string_view body) {
    const auto pickle = read_pickle(body);
    if (pickle.has_error()) return pickle.error();
    const auto* dict = pickle->as<PickleDict>();
    if (dict == nullptr) return bad_answer("not a dict");
    PartitionHashes hashes;
    for (const auto& [key, value] : dict->items) {
        const std::string* suffix = key.characters();
        if (suffix == nullptr || !is_suffix_name(*suffix)) return bad_answer("a key that is no suffix");
        auto hash = read_suffix_hash(*suffix, value);
        if (hash.has_error()) return hash.error();
        hashes.insert_or_assign(*suffix, std::move(hash.value()));
    }
    return hashes;
}

}  // namespace fragmend::swift
