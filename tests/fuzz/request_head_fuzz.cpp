// Request heads from a hostile client.
#include "transport/http/request_head.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "transport/http/head_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fragmend::transport::http;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto length = head_length(input, 0);
    // The end must be found at the same place when the bytes come one at a time.
    std::optional<std::size_t> found;
    for (std::size_t bytes = 1; bytes <= size && !found; ++bytes) {
        found = head_length(input.substr(0, bytes), bytes - 1);
    }
    FRAGMEND_ASSERT(found == length);
    auto parsed = RequestHead::parse(input.substr(0, length.value_or(size)));
    if (parsed.has_error()) return 0;
    const RequestHead head = std::move(*parsed);
    FRAGMEND_ASSERT(!(head.chunked() && head.content_length()));
    FRAGMEND_ASSERT(!head.method().empty() && !head.target().empty());
    FRAGMEND_ASSERT(head.target().find_first_of(" \r\n") == std::string_view::npos);
    FRAGMEND_ASSERT(head.field_count() <= request_fields_max);
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        const auto [name, value] = head.field(i);
        FRAGMEND_ASSERT(!name.empty());
        FRAGMEND_ASSERT(value.find_first_of("\r\n") == std::string_view::npos);
    }
    head.path();
    return 0;
}
