// Pickling of REPLICATE answers.
#include "host/swift/replicate_answer.hpp"

#include "host/swift/directory.hpp"
#include "host/swift/hashes_pickle.hpp"

namespace fragmend::swift {
namespace {

/// 4096 suffixes of at most a few hundred hashes each stay well below this.
constexpr PickleLimits answer_limits{
    .input_bytes = std::size_t{64} << 20,
    .items = 2'000'000,
    .text_bytes = std::size_t{64} << 20,
    .depth = 4,
};

}  // namespace

Result<PartitionHashes> parse_replicate_answer(std::string_view body) {
    const auto value = read_pickle(body, answer_limits);
    if (!value) return value.error();
    const auto* dict = value->as<PickleDict>();
    if (dict == nullptr) return Error{errc::bad_pickle, "REPLICATE answer is not a dict"};
    PartitionHashes hashes;
    for (const auto& [key, stored] : dict->items) {
        const auto* suffix = key.characters();
        if (suffix == nullptr || !is_suffix_name(*suffix)) continue;
        if (auto hash = suffix_hash_from(stored)) hashes[*suffix] = std::move(*hash);
    }
    return hashes;
}

std::string dump_replicate_answer(const PartitionHashes& hashes) {
    PickleWriter writer;
    auto dict = writer.begin_dict(hashes.size());
    for (const auto& [suffix, hash] : hashes) {
        writer.begin_item(dict);
        writer.text(suffix);
        write_suffix_hash(writer, hash);
    }
    writer.end_dict(dict);
    return writer.finish();
}

}  // namespace fragmend::swift
