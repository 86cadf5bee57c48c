// Chunked bodies from a hostile peer: whole and byte by byte must agree, and nothing may be
// invented.
#include "transport/http/chunked.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "host/base/error.hpp"

namespace {

using fragmend::ByteView;
using fragmend::transport::http::ChunkDecoder;

struct Outcome {
    std::string data;
    std::size_t consumed = 0;
    bool finished = false, failed = false;
    bool operator==(const Outcome&) const = default;
};

Outcome decode(ByteView input, std::size_t piece_bytes) {
    ChunkDecoder decoder;
    Outcome outcome;
    while (outcome.consumed < input.size() && !decoder.finished()) {
        auto piece = input.subspan(outcome.consumed);
        if (piece.size() > piece_bytes) piece = piece.first(piece_bytes);
        auto step = decoder.next(piece);
        if (step.has_error()) {
            outcome.failed = true;
            // How far a failing call had come is not said; only the data before it is.
            outcome.consumed = 0;
            return outcome;
        }
        FRAGMEND_ASSERT(step->consumed > 0 && step->consumed <= piece.size());
        outcome.consumed += step->consumed;
        outcome.data += fragmend::as_text(step->data);
    }
    outcome.finished = decoder.finished();
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input = std::as_bytes(std::span(data, size));
    const Outcome whole = decode(input, size + 1);
    FRAGMEND_ASSERT(whole == decode(input, 1));
    FRAGMEND_ASSERT(whole.data.size() <= size);
    return 0;
}
