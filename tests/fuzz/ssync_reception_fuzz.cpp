// What a hostile sender may say in an SSYNC session, at any split.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "transport/ssync/reception.hpp"

namespace {

using fragmend::ByteView;
using fragmend::transport::ssync::Reception;
using Kind = Reception::Kind;

constexpr std::size_t line_bytes_max = 300;
constexpr std::uint64_t offers_max = 50;

/// Everything that was understood, as one text.
std::string converse(ByteView input, std::size_t piece_bytes) {
    Reception reception(line_bytes_max, offers_max);
    std::string story;
    std::uint64_t announced = 0, received = 0;
    const auto tell = [&](const Reception::Event& event) {
        story += static_cast<char>('0' + static_cast<int>(event.kind));
        if (event.kind == Kind::offer) {
            FRAGMEND_ASSERT(fragmend::is_lower_hex(event.offer.object_hash, 32));
            story += event.offer.object_hash + event.offer.data.internal();
        } else if (event.kind == Kind::request) {
            const auto& method = event.request.method;
            FRAGMEND_ASSERT(method == "PUT" || method == "POST" || method == "DELETE");
            FRAGMEND_ASSERT(method == "PUT" || event.request.content_length == 0);
            for (const auto& [name, value] : event.request.headers) {
                FRAGMEND_ASSERT(!name.empty() && value.find('\n') == std::string::npos);
                story += name + value;
            }
            announced = event.request.content_length;
            received = 0;
        } else if (event.kind == Kind::body) {
            received += event.body.size();
            story.pop_back();
            story += fragmend::as_text(event.body);
        } else if (event.kind == Kind::request_end) {
            FRAGMEND_ASSERT(received == announced);
        } else if (event.kind == Kind::failed) {
            story += reception.error().detail;
        }
    };
    for (std::size_t at = 0; at < input.size(); at += piece_bytes) {
        ByteView piece = input.subspan(at, std::min(piece_bytes, input.size() - at));
        for (;;) {
            const auto event = reception.next(piece);
            if (event.kind == Kind::more) break;
            tell(event);
            if (event.kind == Kind::failed || event.kind == Kind::updates_end) return story;
        }
    }
    FRAGMEND_ASSERT(reception.offers() <= offers_max);
    tell(reception.end());
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView input = std::as_bytes(std::span(data + 1, size - 1));
    // Single bytes are by far the slowest, so an input of some size meets them now and then only.
    std::size_t piece_bytes = data[0] % 64 + 1;
    if (input.size() < 64) piece_bytes = 1;
    FRAGMEND_ASSERT(converse(input, input.size() + 1) == converse(input, piece_bytes));
    return 0;
}
