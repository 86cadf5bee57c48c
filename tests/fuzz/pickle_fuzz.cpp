// Any bytes as a pickle: read within the limits, or refused. Sources: host/swift/pickle.cpp,
// pickle_scalars.cpp, pickle_text.cpp, python_text.cpp, host/base/error.cpp.
#include <cstddef>
#include <cstdint>

#include "host/swift/pickle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fragmend::swift::PickleLimits limits{
        .input_bytes = 1 << 16, .items = 20'000, .text_bytes = 1 << 20, .depth = 16};
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto value = fragmend::swift::read_pickle(bytes, limits);
    if (!value) FRAGMEND_ASSERT(value.error() == fragmend::errc::bad_pickle);
    return 0;
}
