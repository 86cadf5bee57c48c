// Any bytes as hashes.pkl, hashes.invalid and a REPLICATE answer. Sources: those of pickle_fuzz,
// host/swift/hashes_pickle.cpp, replicate_answer.cpp, directory.cpp, pickle_writer.cpp,
// host/base/bytes.cpp.
#include <cstddef>
#include <cstdint>

#include "host/swift/hashes_pickle.hpp"
#include "host/swift/replicate_answer.hpp"

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
    return 0;
}
