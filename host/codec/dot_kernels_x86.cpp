// Decoding loops on AVX2.
#include "host/codec/dot_kernels_x86.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "kernels/gf/reference.hpp"

// Each function names its instructions itself, so that the rest of the program runs on any x86-64.
#define FRAGMEND_AVX2 __attribute__((target("avx2")))

namespace fragmend::codec {
namespace {

FRAGMEND_AVX2 inline __m256i load(const Bytes* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

FRAGMEND_AVX2 inline void store(Bytes* to, __m256i value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
}

FRAGMEND_AVX2 inline __m256i both_halves(const std::array<std::uint8_t, 16>& table) {
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
}

FRAGMEND_AVX2 void avx2_gf2(const Bytes* const* inputs, std::size_t count, Bytes* output,
                            std::size_t bytes) {
    std::size_t i = 0;
    for (; i + 128 <= bytes; i += 128) {
        __m256i sum[4] = {load(inputs[0] + i), load(inputs[0] + i + 32), load(inputs[0] + i + 64),
                          load(inputs[0] + i + 96)};
        for (std::size_t j = 1; j < count; ++j) {
            for (std::size_t v = 0; v < 4; ++v) {
                sum[v] = _mm256_xor_si256(sum[v], load(inputs[j] + i + 32 * v));
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            store(output + i + 32 * v, sum[v]);
        }
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf2(tail.pointers.data(), count, output + i, bytes - i);
}

/// Adds one input's super-block to the output's. Bits of the matrix become masks: no branch, and
/// only eight streams of bytes at a time.
FRAGMEND_AVX2 void avx2_add_super_block(const gf::BitMatrix4& matrix, const Bytes* input,
                                        Bytes* output) {
    __m256i masks[4][4];
    for (std::size_t l = 0; l < 4; ++l) {
        for (std::size_t x = 0; x < 4; ++x) {
            masks[l][x] = _mm256_set1_epi32(-static_cast<int>((matrix.rows[l] >> x) & 1u));
        }
    }
    for (std::size_t i = 0; i < gf::packet_bytes; i += 32) {
        __m256i words[4];
        for (std::size_t x = 0; x < 4; ++x) {
            words[x] = load(input + i + x * gf::packet_bytes);
            // The next super-block lies on pages that the CPU does not fetch ahead by itself.
            _mm_prefetch(reinterpret_cast<const char*>(input + i + x * gf::packet_bytes +
                                                       gf::super_block_bytes),
                         _MM_HINT_T1);
        }
        for (std::size_t l = 0; l < 4; ++l) {
            __m256i sum = load(output + i + l * gf::packet_bytes);
            for (std::size_t x = 0; x < 4; ++x) {
                sum = _mm256_xor_si256(sum, _mm256_and_si256(words[x], masks[l][x]));
            }
            store(output + i + l * gf::packet_bytes, sum);
        }
    }
}

FRAGMEND_AVX2 void avx2_gf4(const gf::BitMatrix4* tables, const Bytes* const* inputs,
                            std::size_t count, Bytes* output, std::size_t bytes) {
    for (std::size_t block = 0; block < bytes; block += gf::super_block_bytes) {
        std::memset(output + block, 0, gf::super_block_bytes);
        for (std::size_t j = 0; j < count; ++j) {
            avx2_add_super_block(tables[j], inputs[j] + block, output + block);
        }
    }
}

FRAGMEND_AVX2 void avx2_gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count,
                            Bytes* output, std::size_t bytes) {
    const __m256i nibble = _mm256_set1_epi8(15);
    std::size_t i = 0;
    for (; i + 128 <= bytes; i += 128) {
        __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                          _mm256_setzero_si256()};
        for (std::size_t j = 0; j < count; ++j) {
            const __m256i low_table = both_halves(tables[j].low);
            const __m256i high_table = both_halves(tables[j].high);
            for (std::size_t v = 0; v < 4; ++v) {
                const __m256i in = load(inputs[j] + i + 32 * v);
                const __m256i low = _mm256_and_si256(in, nibble);
                const __m256i high = _mm256_and_si256(_mm256_srli_epi16(in, 4), nibble);
                const __m256i product = _mm256_xor_si256(_mm256_shuffle_epi8(low_table, low),
                                                         _mm256_shuffle_epi8(high_table, high));
                sum[v] = _mm256_xor_si256(sum[v], product);
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            store(output + i + 32 * v, sum[v]);
        }
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf8(tables, tail.pointers.data(), count, output + i, bytes - i);
}

/// Splits 32 words in their low and high bytes (an order that only the inverse below must know).
FRAGMEND_AVX2 void avx2_gf16(const Gf16Table* tables, const Bytes* const* inputs, std::size_t count,
                             Bytes* output, std::size_t bytes) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i low_bytes = _mm256_set1_epi16(0xff);
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
        __m256i low_sum = _mm256_setzero_si256();
        __m256i high_sum = _mm256_setzero_si256();
        for (std::size_t j = 0; j < count; ++j) {
            const __m256i first = load(inputs[j] + i);
            const __m256i second = load(inputs[j] + i + 32);
            const __m256i low = _mm256_packus_epi16(_mm256_and_si256(first, low_bytes),
                                                    _mm256_and_si256(second, low_bytes));
            const __m256i high =
                _mm256_packus_epi16(_mm256_srli_epi16(first, 8), _mm256_srli_epi16(second, 8));
            const __m256i nibbles[4] = {
                _mm256_and_si256(low, nibble),
                _mm256_and_si256(_mm256_srli_epi16(low, 4), nibble),
                _mm256_and_si256(high, nibble),
                _mm256_and_si256(_mm256_srli_epi16(high, 4), nibble),
            };
            for (std::size_t n = 0; n < 4; ++n) {
                low_sum = _mm256_xor_si256(
                    low_sum, _mm256_shuffle_epi8(both_halves(tables[j].low[n]), nibbles[n]));
                high_sum = _mm256_xor_si256(
                    high_sum, _mm256_shuffle_epi8(both_halves(tables[j].high[n]), nibbles[n]));
            }
        }
        store(output + i, _mm256_unpacklo_epi8(low_sum, high_sum));
        store(output + i + 32, _mm256_unpackhi_epi8(low_sum, high_sum));
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf16(tables, tail.pointers.data(), count, output + i, bytes - i);
}

constexpr DotKernels avx2 = {"avx2", avx2_gf2, avx2_gf4, avx2_gf8, avx2_gf16};

}  // namespace

const DotKernels* avx2_kernels() {
    return __builtin_cpu_supports("avx2") ? &avx2 : nullptr;
}

}  // namespace fragmend::codec

#else

namespace fragmend::codec {

const DotKernels* avx2_kernels() {
    return nullptr;
}

}  // namespace fragmend::codec

#endif
