// Pickling of REPLICATE answers.
#include "host/swift/replicate_answer.hpp"

#include <iterator>
#include <map>

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
    const auto document = read_pickle_document(body, answer_limits);
    if (!document) return document.error();
    std::size_t items_left = answer_limits.items;
    const auto entries = document->entries(document->root, items_left);
    if (!entries) return Error{errc::bad_pickle, "REPLICATE answer is not a dict"};
    std::map<std::string, SuffixHash> hashes;
    for (std::size_t i = 0; i + 1 < entries->size(); i += 2) {
        const auto suffix = characters_of(document->nodes[(*entries)[i]]);
        if (!suffix || !is_suffix_name(*suffix)) continue;
        auto hash = suffix_hash_from(*document, (*entries)[i + 1], items_left);
        if (hash) hashes[std::string(*suffix)] = std::move(*hash);
        if (items_left == 0) return Error{errc::bad_pickle, "REPLICATE answer is too large"};
    }
    return PartitionHashes(boost::container::ordered_unique_range,
                           std::make_move_iterator(hashes.begin()),
                           std::make_move_iterator(hashes.end()));
}

std::string dump_replicate_answer(const PartitionHashes& hashes, SuffixForm form) {
    PickleWriter writer;
    auto dict = writer.begin_dict(hashes.size());
    for (const auto& [suffix, hash] : hashes) {
        writer.begin_item(dict);
        writer.text(suffix);
        write_suffix_hash(writer, hash, form);
    }
    writer.end_dict(dict);
    return writer.finish();
}

}  // namespace fragmend::swift
