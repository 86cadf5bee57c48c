// Decoding loops on SSSE3, for x86-64 without AVX2: small storage processors, and servers before
// 2014.
#include "host/codec/dot_kernels_x86.hpp"

#if defined(__x86_64__)

#include <tmmintrin.h>

#define FRAGMEND_SSSE3 __attribute__((target("ssse3")))

namespace fragmend::codec {
namespace {

FRAGMEND_SSSE3 inline __m128i load(const Bytes* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

FRAGMEND_SSSE3 inline void store(Bytes* to, __m128i value) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
}

FRAGMEND_SSSE3 void ssse3_gf2(const Bytes* const* inputs, std::size_t count, Bytes* output,
                              std::size_t bytes) {
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
        __m128i sum[4] = {load(inputs[0] + i), load(inputs[0] + i + 16), load(inputs[0] + i + 32),
                          load(inputs[0] + i + 48)};
        for (std::size_t j = 1; j < count; ++j) {
            for (std::size_t v = 0; v < 4; ++v) {
                sum[v] = _mm_xor_si128(sum[v], load(inputs[j] + i + 16 * v));
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            store(output + i + 16 * v, sum[v]);
        }
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf2(tail.pointers.data(), count, output + i, bytes - i);
}

FRAGMEND_SSSE3 void ssse3_gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count,
                              Bytes* output, std::size_t bytes) {
    const __m128i nibble = _mm_set1_epi8(15);
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
        __m128i sum[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(),
                          _mm_setzero_si128()};
        for (std::size_t j = 0; j < count; ++j) {
            const __m128i low_table = load(tables[j].low.data());
            const __m128i high_table = load(tables[j].high.data());
            for (std::size_t v = 0; v < 4; ++v) {
                const __m128i in = load(inputs[j] + i + 16 * v);
                const __m128i low = _mm_and_si128(in, nibble);
                const __m128i high = _mm_and_si128(_mm_srli_epi16(in, 4), nibble);
                const __m128i product = _mm_xor_si128(_mm_shuffle_epi8(low_table, low),
                                                      _mm_shuffle_epi8(high_table, high));
                sum[v] = _mm_xor_si128(sum[v], product);
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            store(output + i + 16 * v, sum[v]);
        }
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf8(tables, tail.pointers.data(), count, output + i, bytes - i);
}

/// As on AVX2: 16 words split in their low and high bytes, and put together again.
FRAGMEND_SSSE3 void ssse3_gf16(const Gf16Table* tables, const Bytes* const* inputs,
                               std::size_t count, Bytes* output, std::size_t bytes) {
    const __m128i nibble = _mm_set1_epi8(15);
    const __m128i low_bytes = _mm_set1_epi16(0xff);
    std::size_t i = 0;
    for (; i + 32 <= bytes; i += 32) {
        __m128i low_sum = _mm_setzero_si128();
        __m128i high_sum = _mm_setzero_si128();
        for (std::size_t j = 0; j < count; ++j) {
            const __m128i first = load(inputs[j] + i);
            const __m128i second = load(inputs[j] + i + 16);
            const __m128i low =
                _mm_packus_epi16(_mm_and_si128(first, low_bytes), _mm_and_si128(second, low_bytes));
            const __m128i high =
                _mm_packus_epi16(_mm_srli_epi16(first, 8), _mm_srli_epi16(second, 8));
            const __m128i nibbles[4] = {
                _mm_and_si128(low, nibble),
                _mm_and_si128(_mm_srli_epi16(low, 4), nibble),
                _mm_and_si128(high, nibble),
                _mm_and_si128(_mm_srli_epi16(high, 4), nibble),
            };
            for (std::size_t n = 0; n < 4; ++n) {
                low_sum = _mm_xor_si128(
                    low_sum, _mm_shuffle_epi8(load(tables[j].low[n].data()), nibbles[n]));
                high_sum = _mm_xor_si128(
                    high_sum, _mm_shuffle_epi8(load(tables[j].high[n].data()), nibbles[n]));
            }
        }
        store(output + i, _mm_unpacklo_epi8(low_sum, high_sum));
        store(output + i + 16, _mm_unpackhi_epi8(low_sum, high_sum));
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf16(tables, tail.pointers.data(), count, output + i, bytes - i);
}

}  // namespace

const DotKernels* ssse3_kernels() {
    // Packets are XORs of whole words, which the portable loop does well enough.
    static const DotKernels ssse3 = {"ssse3", ssse3_gf2, portable_kernels.gf4, ssse3_gf8,
                                     ssse3_gf16};
    return __builtin_cpu_supports("ssse3") ? &ssse3 : nullptr;
}

}  // namespace fragmend::codec

#else

namespace fragmend::codec {

const DotKernels* ssse3_kernels() {
    return nullptr;
}

}  // namespace fragmend::codec

#endif
