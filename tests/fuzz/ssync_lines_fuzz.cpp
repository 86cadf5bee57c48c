// What a hostile receiver may answer in an SSYNC session, at any split and in any phase.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "transport/ssync/conversation.hpp"

namespace {

using fragmend::ByteView;
using fragmend::transport::ssync::Conversation;
using Phase = Conversation::Phase;

constexpr std::uint64_t offered = 3;

struct Outcome {
    Phase phase;
    std::string text;
    bool operator==(const Outcome&) const = default;
};

/// `early` bytes come while offers are written; the updates end as soon as the list is complete.
Outcome converse(ByteView input, std::size_t early, std::size_t piece_bytes) {
    Conversation conversation;
    Outcome outcome;
    std::size_t at = 0;
    const auto feed_up_to = [&](std::size_t end) {
        while (at < end) {
            const auto piece = input.subspan(at, std::min(piece_bytes, end - at));
            conversation.feed(piece);
            at += piece.size();
        }
    };
    feed_up_to(std::min(early, input.size()));
    conversation.offers_ended(offered);
    feed_up_to(input.size());
    if (conversation.phase() == Phase::updating) {
        const auto wanted = conversation.take_wanted();
        FRAGMEND_ASSERT(wanted.size() <= offered);
        for (const auto& one : wanted) {
            FRAGMEND_ASSERT(one.data || one.meta);
            outcome.text += one.object_hash.hex();
        }
        conversation.updates_ended();
    }
    conversation.peer_closed();
    FRAGMEND_ASSERT(conversation.failed());
    outcome.phase = conversation.phase();
    outcome.text += conversation.error().detail;
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView input = std::as_bytes(std::span(data + 1, size - 1));
    const std::size_t early = data[0];
    FRAGMEND_ASSERT(converse(input, early, input.size() + 1) == converse(input, early, 1));
    return 0;
}
