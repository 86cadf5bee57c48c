// Fuzzes the fragment header parser: it never reads past the bytes, and what it accepts it can
// write back so that it reads the same.
#include <cstdint>
#include <cstdlib>

#include "host/codec/fragment_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fragmend::codec;
    const auto fragment = std::as_bytes(std::span(data, size));
    const auto checked = check_fragment_metadata(fragment);
    auto header = parse_fragment_header(fragment);
    if (!header) return checked ? std::abort(), 0 : 0;
    header->swapped = false;
    for (const CrcForm form : {CrcForm::standard, CrcForm::legacy}) {
        std::array<std::byte, fragment_header_bytes> bytes;
        write_fragment_header(*header, form, bytes);
        const auto again = parse_fragment_header(bytes);
        if (!again || *again != *header) std::abort();
    }
    return 0;
}
