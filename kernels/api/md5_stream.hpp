// A running MD5 that outlives batches, and what one thread does to it.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/api/load_store.hpp"
#include "kernels/gf/md5_step.hpp"

namespace fragmend::kernels {

/// The MD5 of a stream so far. Lives with the caller between batches, so that a lost device takes
/// nothing with it. The last bytes % 64 bytes wait in `tail` for their block.
struct Md5State {
    std::uint32_t words[4] = {gf::md5_initial[0], gf::md5_initial[1], gf::md5_initial[2],
                              gf::md5_initial[3]};
    std::uint64_t bytes = 0;
    std::uint8_t tail[gf::md5_block_bytes] = {};
};

/// Appends data[0, bytes) to the stream. Reads nothing outside it.
FRAGMEND_HD inline void md5_absorb(Md5State& state, const std::uint8_t* data, std::uint64_t bytes) {
    constexpr unsigned block = gf::md5_block_bytes;
    auto waiting = static_cast<unsigned>(state.bytes % block);
    state.bytes += bytes;
    std::uint32_t sums[4] = {state.words[0], state.words[1], state.words[2], state.words[3]};
    std::uint32_t words[16];
    std::uint64_t done = 0;
    if (waiting != 0) {
        while (waiting < block && done < bytes) {
            state.tail[waiting++] = data[done++];
        }
        if (waiting < block) return;
        // Not by load_words: the device's cached loads must not see what this thread just wrote.
        for (unsigned i = 0; i < 16; ++i) {
            words[i] = word_of(state.tail + 4 * i);
        }
        gf::md5_compress(sums, words);
    }
    FRAGMEND_NO_UNROLL
    for (; bytes - done >= block; done += block) {
        load_words(data + done, done, bytes - done, words);
        gf::md5_compress(sums, words);
    }
    for (unsigned i = 0; done < bytes;) {
        state.tail[i++] = data[done++];
    }
    for (unsigned i = 0; i < 4; ++i) {
        state.words[i] = sums[i];
    }
}

/// The digest of all that was absorbed. The state stays as it is.
std::array<std::uint8_t, 16> md5_digest(const Md5State& state);

}  // namespace fragmend::kernels
