// Any bytes as hashes.pkl, hashes.invalid and a REPLICATE answer; and whoever reads an answer as it
// came says nothing else than the pickle reader. Sources: those of pickle_fuzz,
// host/swift/hashes_pickle.cpp, hashes_scan.cpp, replicate_answer.cpp, directory.cpp,
// pickle_writer.cpp, host/scan/agreement.cpp, hash_pairs.cpp, suffix_delta.cpp,
// host/base/bytes.cpp.
#include <cstddef>
#include <cstdint>

#include "host/scan/agreement.hpp"
#include "host/scan/suffix_delta.hpp"
#include "host/swift/directory.hpp"
#include "host/swift/hashes_pickle.hpp"
#include "host/swift/replicate_answer.hpp"

namespace {

using fragmend::swift::PartitionHashes;

/// What `bytes` are for a device that has `local`: agreement is never more than no difference.
void check_agreement(std::string_view bytes, const fragmend::Result<PartitionHashes>& answer,
                     const PartitionHashes& local) {
    for (const int index : {0, 1, 3}) {
        const fragmend::scan::HashPairs ours(local, index);
        const fragmend::scan::Agreement agreement(ours);
        for (const int remote_index : {0, 1, 3}) {
            if (!agreement.holds(bytes, remote_index)) continue;
            FRAGMEND_ASSERT(answer.has_value());
            const fragmend::scan::HashPairs theirs(*answer, remote_index);
            FRAGMEND_ASSERT(fragmend::scan::suffix_delta(ours, theirs).empty());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fragmend::swift;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto invalid = parse_invalidations(bytes);
    FRAGMEND_ASSERT(invalid.any == !bytes.empty());
    for (const auto& suffix : invalid.suffixes)
        FRAGMEND_ASSERT(suffix.size() == 3);
    for (const auto form : {SuffixForm::by_index, SuffixForm::whole}) {
        const auto hashes = parse_stored_hashes(bytes, form);
        if (!hashes.valid) continue;
        FRAGMEND_ASSERT(parse_stored_hashes(dump_stored_hashes(hashes, 1.5), form) == hashes);
    }
    const auto answer = parse_replicate_answer(bytes);
    if (answer) FRAGMEND_ASSERT(*parse_replicate_answer(dump_replicate_answer(*answer)) == *answer);
    PartitionHashes local;
    check_agreement(bytes, answer, local);
    if (!answer) return 0;
    for (const auto& [suffix, hash] : *answer) {
        if (is_suffix_name(suffix)) local.insert_or_assign(suffix, hash);
    }
    check_agreement(bytes, answer, local);
    if (local.empty()) return 0;
    local.erase(local.begin());
    check_agreement(bytes, answer, local);
    local.insert_or_assign("abc", SuffixHash{});
    check_agreement(bytes, answer, local);
    return 0;
}
