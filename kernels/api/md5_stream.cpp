// The end of a stream: padding and length.
#include "kernels/api/md5_stream.hpp"

namespace fragmend::kernels {

std::array<std::uint8_t, 16> md5_digest(const Md5State& state) {
    Md5State last = state;
    const std::uint64_t bits = state.bytes * 8;
    std::uint8_t padding[gf::md5_block_bytes + 8] = {0x80};
    // The length ends a block: one byte 0x80, zeros up to 56 modulo 64, eight bytes of length.
    const auto waiting = static_cast<unsigned>(state.bytes % gf::md5_block_bytes);
    const unsigned zeros_end = waiting < 56 ? 56 - waiting : 120 - waiting;
    for (unsigned i = 0; i < 8; ++i) {
        padding[zeros_end + i] = static_cast<std::uint8_t>(bits >> (8 * i));
    }
    md5_absorb(last, padding, zeros_end + 8);
    std::array<std::uint8_t, 16> digest{};
    for (unsigned i = 0; i < 16; ++i) {
        digest[i] = static_cast<std::uint8_t>(last.words[i / 4] >> (8 * (i % 4)));
    }
    return digest;
}

}  // namespace fragmend::kernels
