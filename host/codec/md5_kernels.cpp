// MD5 of one stream a time, and of 4, 8 or 16 in the lanes of vector registers.
#include "host/codec/md5_kernels.hpp"

#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/gf/md5_step.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace fragmend::codec {
namespace {

void portable_compress(Md5Words* const* states, const std::uint8_t* const* blocks,
                       std::size_t block_count) {
    static_assert(std::endian::native == std::endian::little, "MD5 words are little-endian");
    for (std::size_t i = 0; i < block_count; ++i) {
        std::uint32_t words[16];
        std::memcpy(words, blocks[0] + i * gf::md5_block_bytes, sizeof words);
        gf::md5_compress(states[0]->word, words);
    }
}

#if defined(__x86_64__)

// Each function names its instructions itself, so that the rest of the program runs on any x86-64.
#define FRAGMEND_AVX2 __attribute__((target("avx2")))
#define FRAGMEND_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline
#define FRAGMEND_AVX512 __attribute__((target("avx2,avx512f")))
#define FRAGMEND_AVX512_INLINE __attribute__((target("avx2,avx512f"), always_inline)) inline

template <unsigned step>
FRAGMEND_AVX2_INLINE void avx2_step(__m256i (&s)[4], const __m256i (&words)[16]) {
    const __m256i b = s[gf::md5_role(step, 1)];
    const __m256i c = s[gf::md5_role(step, 2)];
    const __m256i d = s[gf::md5_role(step, 3)];
    __m256i mixed;
    if constexpr (step < 16) {
        mixed = _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d)));
    } else if constexpr (step < 32) {
        mixed = _mm256_xor_si256(c, _mm256_and_si256(d, _mm256_xor_si256(b, c)));
    } else if constexpr (step < 48) {
        mixed = _mm256_xor_si256(b, _mm256_xor_si256(c, d));
    } else {
        const __m256i not_d = _mm256_xor_si256(d, _mm256_set1_epi32(-1));
        mixed = _mm256_xor_si256(c, _mm256_or_si256(b, not_d));
    }
    __m256i& a = s[gf::md5_role(step, 0)];
    const __m256i constant = _mm256_set1_epi32(static_cast<int>(gf::md5_constant(step)));
    __m256i sum = _mm256_add_epi32(a, _mm256_add_epi32(constant, words[gf::md5_word(step)]));
    sum = _mm256_add_epi32(sum, mixed);
    constexpr int left = gf::md5_rotation(step);
    sum = _mm256_or_si256(_mm256_slli_epi32(sum, left), _mm256_srli_epi32(sum, 32 - left));
    a = _mm256_add_epi32(b, sum);
}

template <unsigned... step>
FRAGMEND_AVX2_INLINE void avx2_steps(__m256i (&s)[4], const __m256i (&words)[16],
                                     std::integer_sequence<unsigned, step...>) {
    (avx2_step<step>(s, words), ...);
}

/// Turns eight rows of eight words into eight columns.
FRAGMEND_AVX2_INLINE void transpose(__m256i* rows) {
    __m256i pairs[8];
    for (std::size_t i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    __m256i quads[8];
    for (std::size_t i = 0; i < 8; i += 4) {
        quads[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
        quads[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
        quads[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        quads[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        rows[i] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x31);
    }
}

FRAGMEND_AVX2 void avx2_compress(Md5Words* const* states, const std::uint8_t* const* blocks,
                                 std::size_t block_count) {
    alignas(32) std::uint32_t lanes[4][8];
    for (std::size_t i = 0; i < 8; ++i) {
        for (std::size_t w = 0; w < 4; ++w) {
            lanes[w][i] = states[i]->word[w];
        }
    }
    __m256i state[4];
    for (std::size_t w = 0; w < 4; ++w) {
        state[w] = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes[w]));
    }
    for (std::size_t block = 0; block < block_count; ++block) {
        __m256i words[16];
        for (std::size_t half = 0; half < 2; ++half) {
            for (std::size_t i = 0; i < 8; ++i) {
                const std::uint8_t* from = blocks[i] + block * gf::md5_block_bytes + half * 32;
                words[half * 8 + i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
            }
            transpose(words + half * 8);
        }
        __m256i s[4] = {state[0], state[1], state[2], state[3]};
        avx2_steps(s, words, std::make_integer_sequence<unsigned, 64>());
        for (std::size_t w = 0; w < 4; ++w) {
            state[w] = _mm256_add_epi32(state[w], s[w]);
        }
    }
    for (std::size_t w = 0; w < 4; ++w) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[w]), state[w]);
    }
    for (std::size_t i = 0; i < 8; ++i) {
        for (std::size_t w = 0; w < 4; ++w) {
            states[i]->word[w] = lanes[w][i];
        }
    }
}

template <unsigned step>
FRAGMEND_AVX512_INLINE void avx512_step(__m512i (&s)[4], const __m512i (&words)[16]) {
    const __m512i b = s[gf::md5_role(step, 1)];
    const __m512i c = s[gf::md5_role(step, 2)];
    const __m512i d = s[gf::md5_role(step, 3)];
    // Truth tables over (b, c, d): b ? c : d;  d ? b : c;  b ^ c ^ d;  c ^ (b | ~d).
    constexpr int tables[4] = {0xca, 0xe4, 0x96, 0x39};
    const __m512i mixed = _mm512_ternarylogic_epi32(b, c, d, tables[step / 16]);
    __m512i& a = s[gf::md5_role(step, 0)];
    const __m512i constant = _mm512_set1_epi32(static_cast<int>(gf::md5_constant(step)));
    __m512i sum = _mm512_add_epi32(a, _mm512_add_epi32(constant, words[gf::md5_word(step)]));
    sum = _mm512_rol_epi32(_mm512_add_epi32(sum, mixed), gf::md5_rotation(step));
    a = _mm512_add_epi32(b, sum);
}

template <unsigned... step>
FRAGMEND_AVX512_INLINE void avx512_steps(__m512i (&s)[4], const __m512i (&words)[16],
                                         std::integer_sequence<unsigned, step...>) {
    (avx512_step<step>(s, words), ...);
}

/// Turns sixteen rows of sixteen words into sixteen columns.
FRAGMEND_AVX512_INLINE void transpose(__m512i (&rows)[16]) {
    __m512i pairs[16];
    for (std::size_t i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    // quads[4g + c] holds, in its 128-bit quarter q, word 4q + c of the rows 4g to 4g + 3.
    __m512i quads[16];
    for (std::size_t i = 0; i < 16; i += 4) {
        quads[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
        quads[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
        quads[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        quads[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    for (std::size_t c = 0; c < 4; ++c) {
        const __m512i low = _mm512_shuffle_i32x4(quads[c], quads[4 + c], 0x44);
        const __m512i high = _mm512_shuffle_i32x4(quads[c], quads[4 + c], 0xee);
        const __m512i low2 = _mm512_shuffle_i32x4(quads[8 + c], quads[12 + c], 0x44);
        const __m512i high2 = _mm512_shuffle_i32x4(quads[8 + c], quads[12 + c], 0xee);
        rows[c] = _mm512_shuffle_i32x4(low, low2, 0x88);
        rows[4 + c] = _mm512_shuffle_i32x4(low, low2, 0xdd);
        rows[8 + c] = _mm512_shuffle_i32x4(high, high2, 0x88);
        rows[12 + c] = _mm512_shuffle_i32x4(high, high2, 0xdd);
    }
}

FRAGMEND_AVX512 void avx512_compress(Md5Words* const* states, const std::uint8_t* const* blocks,
                                     std::size_t block_count) {
    alignas(64) std::uint32_t lanes[4][16];
    for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t w = 0; w < 4; ++w) {
            lanes[w][i] = states[i]->word[w];
        }
    }
    __m512i state[4];
    for (std::size_t w = 0; w < 4; ++w) {
        state[w] = _mm512_load_si512(lanes[w]);
    }
    for (std::size_t block = 0; block < block_count; ++block) {
        __m512i words[16];
        for (std::size_t i = 0; i < 16; ++i) {
            words[i] = _mm512_loadu_si512(blocks[i] + block * gf::md5_block_bytes);
        }
        transpose(words);
        __m512i s[4] = {state[0], state[1], state[2], state[3]};
        avx512_steps(s, words, std::make_integer_sequence<unsigned, 64>());
        for (std::size_t w = 0; w < 4; ++w) {
            state[w] = _mm512_add_epi32(state[w], s[w]);
        }
    }
    for (std::size_t w = 0; w < 4; ++w) {
        _mm512_store_si512(lanes[w], state[w]);
    }
    for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t w = 0; w < 4; ++w) {
            states[i]->word[w] = lanes[w][i];
        }
    }
}

constexpr Md5Kernel avx2_kernel = {"avx2", 8, avx2_compress};
constexpr Md5Kernel avx512_kernel = {"avx512", 16, avx512_compress};

#elif defined(__aarch64__)

template <unsigned step>
inline void neon_step(uint32x4_t (&s)[4], const uint32x4_t (&words)[16]) {
    const uint32x4_t b = s[gf::md5_role(step, 1)];
    const uint32x4_t c = s[gf::md5_role(step, 2)];
    const uint32x4_t d = s[gf::md5_role(step, 3)];
    uint32x4_t mixed;
    if constexpr (step < 16) {
        mixed = vbslq_u32(b, c, d);
    } else if constexpr (step < 32) {
        mixed = vbslq_u32(d, b, c);
    } else if constexpr (step < 48) {
        mixed = veorq_u32(b, veorq_u32(c, d));
    } else {
        mixed = veorq_u32(c, vornq_u32(b, d));
    }
    uint32x4_t& a = s[gf::md5_role(step, 0)];
    const uint32x4_t constant = vdupq_n_u32(gf::md5_constant(step));
    uint32x4_t sum = vaddq_u32(a, vaddq_u32(constant, words[gf::md5_word(step)]));
    sum = vaddq_u32(sum, mixed);
    constexpr int left = gf::md5_rotation(step);
    sum = vorrq_u32(vshlq_n_u32(sum, left), vshrq_n_u32(sum, 32 - left));
    a = vaddq_u32(b, sum);
}

template <unsigned... step>
inline void neon_steps(uint32x4_t (&s)[4], const uint32x4_t (&words)[16],
                       std::integer_sequence<unsigned, step...>) {
    (neon_step<step>(s, words), ...);
}

/// Word w of each of four streams becomes vector w, for four words.
inline void transpose(uint32x4_t* rows) {
    const uint32x4x2_t first = vtrnq_u32(rows[0], rows[1]);
    const uint32x4x2_t second = vtrnq_u32(rows[2], rows[3]);
    for (std::size_t i = 0; i < 2; ++i) {
        rows[i] = vcombine_u32(vget_low_u32(first.val[i]), vget_low_u32(second.val[i]));
        rows[i + 2] = vcombine_u32(vget_high_u32(first.val[i]), vget_high_u32(second.val[i]));
    }
}

void neon_compress(Md5Words* const* states, const std::uint8_t* const* blocks,
                   std::size_t block_count) {
    uint32x4_t state[4];
    for (std::size_t i = 0; i < 4; ++i) {
        state[i] = vld1q_u32(states[i]->word);
    }
    transpose(state);
    for (std::size_t block = 0; block < block_count; ++block) {
        uint32x4_t words[16];
        for (std::size_t quarter = 0; quarter < 4; ++quarter) {
            for (std::size_t i = 0; i < 4; ++i) {
                const std::uint8_t* from = blocks[i] + block * gf::md5_block_bytes + 16 * quarter;
                words[4 * quarter + i] = vreinterpretq_u32_u8(vld1q_u8(from));
            }
            transpose(words + 4 * quarter);
        }
        uint32x4_t s[4] = {state[0], state[1], state[2], state[3]};
        neon_steps(s, words, std::make_integer_sequence<unsigned, 64>());
        for (std::size_t w = 0; w < 4; ++w) {
            state[w] = vaddq_u32(state[w], s[w]);
        }
    }
    transpose(state);
    for (std::size_t i = 0; i < 4; ++i) {
        vst1q_u32(states[i]->word, state[i]);
    }
}

constexpr Md5Kernel neon_kernel = {"neon", 4, neon_compress};

#endif

}  // namespace

const Md5Kernel portable_md5 = {"portable", 1, portable_compress};

#if defined(__x86_64__)
const Md5Kernel* avx2_md5() {
    return __builtin_cpu_supports("avx2") ? &avx2_kernel : nullptr;
}
const Md5Kernel* avx512_md5() {
    const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f");
    return supported ? &avx512_kernel : nullptr;
}
#else
const Md5Kernel* avx2_md5() {
    return nullptr;
}
const Md5Kernel* avx512_md5() {
    return nullptr;
}
#endif

const Md5Kernel* neon_md5() {
#if defined(__aarch64__)
    return &neon_kernel;
#else
    return nullptr;
#endif
}

std::span<const Md5Kernel* const> available_md5_kernels() {
    static const std::vector<const Md5Kernel*> kernels = [] {
        std::vector<const Md5Kernel*> found{&portable_md5};
        if (const Md5Kernel* neon = neon_md5()) found.push_back(neon);
        if (const Md5Kernel* avx2 = avx2_md5()) found.push_back(avx2);
        if (const Md5Kernel* avx512 = avx512_md5()) found.push_back(avx512);
        return found;
    }();
    return kernels;
}

}  // namespace fragmend::codec
