// Response heads from a hostile peer.
#include "transport/http/response_head.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fragmend::transport::http::ResponseHead;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto length = ResponseHead::length(input);
    // The end must be found at the same place when the bytes come one at a time.
    std::optional<std::size_t> found;
    for (std::size_t bytes = 1; bytes <= size && !found; ++bytes) {
        found = ResponseHead::length(input.substr(0, bytes), bytes - 1);
    }
    FRAGMEND_ASSERT(found == length);
    auto parsed = ResponseHead::parse(input.substr(0, length.value_or(size)));
    if (parsed.has_error()) return 0;
    const ResponseHead head = std::move(*parsed);
    FRAGMEND_ASSERT(head.status() >= 200 && head.status() < 600);
    FRAGMEND_ASSERT(!(head.chunked() && head.content_length()));
    for (const char* name :
         {"Etag", "X-Backend-Data-Timestamp", "Content-Length", "X-Object-Meta-A"}) {
        if (const auto value = head.find(name)) {
            FRAGMEND_ASSERT(value->find_first_of("\r\n") == std::string_view::npos);
        }
    }
    return 0;
}
