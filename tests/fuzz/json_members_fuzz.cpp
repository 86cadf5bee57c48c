// Hostile recon caches: what is taken apart can be put together and taken apart again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/base/error.hpp"
#include "host/swift/json_members.hpp"

using namespace fragmend;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto members = swift::split_json_object({reinterpret_cast<const char*>(data), size});
    if (!members) return 0;
    const auto again = swift::split_json_object(swift::join_json_object(*members));
    FRAGMEND_ASSERT(again && *again == *members);
    return 0;
}
