// Multipart bodies from a hostile proxy, at any split.
#include "host/server/mime_documents.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using fragmend::ByteView;
using fragmend::server::MimeDocuments;
using Kind = MimeDocuments::Kind;

std::string take_apart(ByteView input, std::size_t piece_bytes) {
    MimeDocuments documents("b");
    std::string story;
    for (std::size_t at = 0; at < input.size(); at += piece_bytes) {
        documents.feed(input.subspan(at, std::min(piece_bytes, input.size() - at)));
        for (;;) {
            const auto event = documents.next();
            if (event.kind == Kind::more) break;
            if (event.kind == Kind::body) {
                FRAGMEND_ASSERT(!event.body.empty());
                story += fragmend::as_text(event.body);
                continue;
            }
            story += "<" + std::to_string(static_cast<int>(event.kind));
            for (const auto& [name, value] : event.headers.items())
                story += name + ":" + value;
            story += ">";
            if (event.kind == Kind::failed || event.kind == Kind::over) return story;
        }
    }
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView input = std::as_bytes(std::span(data + 1, size - 1));
    const auto whole = take_apart(input, input.size() + 1);
    FRAGMEND_ASSERT(whole == take_apart(input, 1));
    FRAGMEND_ASSERT(whole == take_apart(input, data[0] % 16 + 1));
    return 0;
}
