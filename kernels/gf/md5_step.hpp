// MD5's constants and its compression of one block, for a thread or for a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/gf/hd.hpp"

namespace fragmend::gf {

inline constexpr std::size_t md5_block_bytes = 64;

/// Source: RFC 1321, the initial value of the buffer.
inline constexpr std::uint32_t md5_initial[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/// floor(2^32 * |sin(step + 1)|), step in [0, 64).
FRAGMEND_HD constexpr std::uint32_t md5_constant(unsigned step) {
    constexpr std::uint32_t table[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
        0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
        0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
        0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
        0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
        0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
        0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
        0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
        0xeb86d391};
    return table[step];
}

/// How far step `step` rotates to the left.
FRAGMEND_HD constexpr int md5_rotation(unsigned step) {
    constexpr int table[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
    return table[step / 16 * 4 + step % 4];
}

/// Which of the block's 16 words step `step` adds.
FRAGMEND_HD constexpr unsigned md5_word(unsigned step) {
    switch (step / 16) {
        case 0:
            return step;
        case 1:
            return (5 * step + 1) % 16;
        case 2:
            return (3 * step + 5) % 16;
        default:
            return 7 * step % 16;
    }
}

/// Which of the four state words plays a, b, c, d (role 0 to 3) in step `step`.
FRAGMEND_HD constexpr unsigned md5_role(unsigned step, unsigned role) {
    return (role + 64 - step) % 4;
}

/// One step on the state words `s`. A template, so that its place in the block costs nothing.
template <unsigned step>
FRAGMEND_HD constexpr void md5_step(std::uint32_t (&s)[4], const std::uint32_t (&words)[16]) {
    const std::uint32_t b = s[md5_role(step, 1)];
    const std::uint32_t c = s[md5_role(step, 2)];
    const std::uint32_t d = s[md5_role(step, 3)];
    std::uint32_t mixed = 0;
    if constexpr (step < 16) {
        mixed = d ^ (b & (c ^ d));
    } else if constexpr (step < 32) {
        mixed = c ^ (d & (b ^ c));
    } else if constexpr (step < 48) {
        mixed = b ^ c ^ d;
    } else {
        mixed = c ^ (b | ~d);
    }
    constexpr int left = md5_rotation(step);
    constexpr std::uint32_t constant = md5_constant(step);
    std::uint32_t& a = s[md5_role(step, 0)];
    const std::uint32_t sum = a + mixed + constant + words[md5_word(step)];
    a = b + ((sum << left) | (sum >> (32 - left)));
}

template <unsigned... step>
FRAGMEND_HD constexpr void md5_steps(std::uint32_t (&s)[4], const std::uint32_t (&words)[16],
                                     std::integer_sequence<unsigned, step...>) {
    (md5_step<step>(s, words), ...);
}

/// Adds one block, 16 words in little-endian order, to `state`.
FRAGMEND_HD constexpr void md5_compress(std::uint32_t (&state)[4],
                                        const std::uint32_t (&words)[16]) {
    std::uint32_t s[4] = {state[0], state[1], state[2], state[3]};
    md5_steps(s, words, std::make_integer_sequence<unsigned, 64>());
    for (unsigned i = 0; i < 4; ++i) {
        state[i] += s[i];
    }
}

}  // namespace fragmend::gf
