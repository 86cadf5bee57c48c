// Chunked HTTP bodies from a hostile peer: whole and in pieces must agree, and nothing may be
// invented.
#include "transport/http/chunked_body.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using fragmend::ByteView;
using fragmend::transport::http::ChunkedBody;

struct Outcome {
    std::string data;
    bool finished = false, failed = false;
    bool operator==(const Outcome&) const = default;
};

/// Receives `piece_bytes` at a time.
Outcome collect(ByteView input, std::size_t piece_bytes) {
    ChunkedBody body(1024);
    Outcome outcome;
    std::size_t consumed = 0, received = 0;
    while (received < input.size() && !body.finished()) {
        received = std::min(input.size(), received + piece_bytes);
        auto taken = body.feed(input.subspan(consumed, received - consumed));
        if (taken.has_error()) {
            outcome.failed = true;
            return outcome;
        }
        FRAGMEND_ASSERT(*taken <= received - consumed);
        consumed += *taken;
    }
    outcome.finished = body.finished();
    outcome.data = body.take();
    FRAGMEND_ASSERT(outcome.data.size() <= std::min<std::size_t>(1024, consumed));
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Above this the bound on extensions depends on how much is there at once.
    if (size > ChunkedBody::overhead_bytes_max) return 0;
    const ByteView input = std::as_bytes(std::span(data, size));
    const Outcome whole = collect(input, size + 1);
    FRAGMEND_ASSERT(whole == collect(input, 1));
    FRAGMEND_ASSERT(whole == collect(input, 7));
    return 0;
}
