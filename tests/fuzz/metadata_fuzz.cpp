// Any bytes as stored metadata: what can be read is written and read again as the same. Sources:
// those of pickle_fuzz, host/swift/metadata.cpp, pickle_writer.cpp, host/base/timestamp.cpp.
#include <cstddef>
#include <cstdint>

#include "host/swift/metadata.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fragmend::swift;
    const auto metadata = decode_metadata({reinterpret_cast<const char*>(data), size});
    if (!metadata) return 0;
    (void)metadata->timestamp("X-Timestamp");
    (void)title_case(metadata->text("name").value_or(""));
    const auto again = decode_metadata(encode_metadata(*metadata));
    // Without an item that needs it, nothing marks our pickle as one of Python 3; and an empty key
    // in front pushes the mark out of sight.
    const bool marked = !metadata->empty() && !metadata->items().front().first.empty();
    FRAGMEND_ASSERT(again.has_value());
    FRAGMEND_ASSERT(!marked || *again == *metadata);
    return 0;
}
