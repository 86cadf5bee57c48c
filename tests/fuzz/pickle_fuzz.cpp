// Any bytes as a pickle: read within the limits, or refused.
#include <cstddef>
#include <cstdint>

#include "host/swift/pickle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fragmend::swift::PickleLimits limits{
        .input_bytes = 1 << 16, .items = 20'000, .text_bytes = 1 << 20, .depth = 16};
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto value = fragmend::swift::read_pickle(bytes, limits);
    if (!value) FRAGMEND_ASSERT(value.error() == fragmend::errc::bad_pickle);
    // Rings know more names, but refuse nothing that others may say.
    const auto ring =
        fragmend::swift::read_pickle(bytes, limits, fragmend::swift::PickleSubject::ring);
    if (value) FRAGMEND_ASSERT(ring.has_value());
    return 0;
}
