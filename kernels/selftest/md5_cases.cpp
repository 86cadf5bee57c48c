// Known digests, split every way.
#include "kernels/selftest/md5_cases.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "kernels/api/md5_stream.hpp"

namespace fragmend::selftest {
namespace {

using kernels::Item;
using kernels::Md5State;
using kernels::StatusCode;

constexpr std::uint32_t md5_wait_limit_ms = 60'000;

struct Known {
    std::string_view text;
    std::string_view digest;
};

/// Source: RFC 1321, the test suite of A.5.
constexpr Known known[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

std::string hex(const Md5State& state) {
    std::string text;
    for (std::uint8_t byte : kernels::md5_digest(state)) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

bool run_batch(kernels::Engine& engine, std::vector<Item>& items) {
    kernels::Ticket ticket;
    return engine.submit(items, kernels::Memory::plain, ticket).ok() &&
           engine.wait(ticket, md5_wait_limit_ms).ok();
}

/// `pieces` of the text; in one batch as an item each, or in a batch each.
std::string digest_in_pieces(kernels::Engine& engine, std::string_view text,
                             const std::vector<std::size_t>& pieces, bool one_batch) {
    Md5State state;
    Md5State* const digests[] = {&state};
    std::vector<const std::uint8_t*> sources;
    std::size_t offset = 0;
    for (std::size_t piece : pieces) {
        sources.push_back(reinterpret_cast<const std::uint8_t*>(text.data()) + offset);
        offset += piece;
    }
    std::vector<Item> items;
    bool ok = true;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        Item item;
        item.sources = std::span(&sources[i], 1);
        item.bytes = pieces[i];
        item.digests = digests;
        items.push_back(item);
        if (one_batch) continue;
        ok = ok && run_batch(engine, items);
        items.clear();
    }
    if (one_batch) ok = run_batch(engine, items);
    return ok ? hex(state) : "failed";
}

void run_known(kernels::Engine& engine, Tally& tally) {
    for (const Known& one : known) {
        const std::string text(one.text);
        tally.count(digest_in_pieces(engine, text, {text.size()}, true) == one.digest,
                    "MD5 of \"" + text + "\"");
        for (std::size_t cut = 0; cut <= text.size(); cut += 7) {
            const std::vector<std::size_t> pieces = {cut, text.size() - cut};
            for (bool one_batch : {true, false}) {
                tally.count(digest_in_pieces(engine, text, pieces, one_batch) == one.digest,
                            "MD5 of \"" + text + "\" cut at " + std::to_string(cut));
            }
        }
    }
}

/// Pieces around the block's 64 bytes and around where padding spills over.
void run_splits(kernels::Engine& engine, Tally& tally) {
    std::string text;
    for (unsigned i = 0; i < 1000; ++i) {
        text += static_cast<char>(i * i >> 3);
    }
    Md5State whole;
    for (char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        kernels::md5_absorb(whole, &byte, 1);
    }
    for (std::size_t first : {0, 1, 55, 56, 63, 64, 65, 127, 128, 129}) {
        for (std::size_t second : {0, 1, 63, 64, 65, 120, 300}) {
            const std::vector<std::size_t> pieces = {first, second, text.size() - first - second};
            for (bool one_batch : {true, false}) {
                tally.count(digest_in_pieces(engine, text, pieces, one_batch) == hex(whole),
                            "MD5 split " + std::to_string(first) + " " + std::to_string(second));
            }
        }
    }
}

void run_refusals(kernels::Engine& engine, Tally& tally) {
    kernels::Ticket ticket;
    Item stray;
    std::uint8_t byte = 0;
    std::uint8_t* const outputs[] = {&byte};
    stray.outputs = outputs;
    stray.bytes = 1;
    std::vector<Item> items = {Item(), stray};
    const kernels::Status status = engine.submit(items, kernels::Memory::plain, ticket);
    tally.count(status.code == StatusCode::bad_item && status.item == 1, "outputs without rows");
    items.resize(1);
    tally.count(run_batch(engine, items), "an empty item");
    items.resize(engine.limits().batch_items_max + 1);
    tally.count(engine.submit(items, kernels::Memory::plain, ticket).code == StatusCode::too_large,
                "too many items");
    tally.count(engine.wait(kernels::Ticket{0, 12345}, 1).code == StatusCode::bad_ticket,
                "a ticket of nobody");
}

}  // namespace

void run_md5_cases(kernels::Engine& engine, Tally& tally) {
    run_known(engine, tally);
    run_splits(engine, tally);
    run_refusals(engine, tally);
}

}  // namespace fragmend::selftest
