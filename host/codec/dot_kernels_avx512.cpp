// Decoding loops on AVX-512 with GFNI.
#include "host/codec/dot_kernels_x86.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/gf/reference.hpp"

// Each function names its instructions itself, so that the rest of the program runs on any x86-64.
#define FRAGMEND_GFNI __attribute__((target("avx2,avx512f,avx512bw,gfni")))

namespace fragmend::codec {
namespace {

FRAGMEND_GFNI inline __m512i every_qword(std::uint64_t value) {
    return _mm512_set1_epi64(static_cast<long long>(value));
}

FRAGMEND_GFNI inline __mmask64 first_bytes(std::size_t count) {
    return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
}

FRAGMEND_GFNI void avx512_gf2(const Bytes* const* inputs, std::size_t count, Bytes* output,
                              std::size_t bytes) {
    std::size_t i = 0;
    for (; i + 256 <= bytes; i += 256) {
        __m512i sum[4];
        for (std::size_t v = 0; v < 4; ++v) {
            sum[v] = _mm512_loadu_si512(inputs[0] + i + 64 * v);
        }
        for (std::size_t j = 1; j < count; ++j) {
            for (std::size_t v = 0; v < 4; ++v) {
                sum[v] = _mm512_xor_si512(sum[v], _mm512_loadu_si512(inputs[j] + i + 64 * v));
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            _mm512_storeu_si512(output + i + 64 * v, sum[v]);
        }
    }
    for (; i < bytes; i += 64) {
        const __mmask64 mask = first_bytes(bytes - i);
        __m512i sum = _mm512_setzero_si512();
        for (std::size_t j = 0; j < count; ++j) {
            sum = _mm512_xor_si512(sum, _mm512_maskz_loadu_epi8(mask, inputs[j] + i));
        }
        _mm512_mask_storeu_epi8(output + i, mask, sum);
    }
}

/// Adds a packet's columns to those output packets whose row of the matrix asks for it. The
/// branches repeat for every column of a fragment, so the CPU foresees them.
FRAGMEND_GFNI inline void add_packet(const gf::BitMatrix4& matrix, std::size_t packet,
                                     const __m512i (&words)[4], __m512i (&sums)[4][4]) {
    for (std::size_t l = 0; l < 4; ++l) {
        if (!((matrix.rows[l] >> packet) & 1u)) continue;
        for (std::size_t v = 0; v < 4; ++v) {
            sums[l][v] = _mm512_xor_si512(sums[l][v], words[v]);
        }
    }
}

/// All inputs for one stretch of columns before the next, so that the sums stay in registers.
FRAGMEND_GFNI void avx512_gf4(const gf::BitMatrix4* tables, const Bytes* const* inputs,
                              std::size_t count, Bytes* output, std::size_t bytes) {
    for (std::size_t block = 0; block < bytes; block += gf::super_block_bytes) {
        for (std::size_t i = block; i < block + gf::packet_bytes; i += 256) {
            __m512i sums[4][4] = {};
            for (std::size_t j = 0; j < count; ++j) {
                const gf::BitMatrix4 matrix = tables[j];
                for (std::size_t packet = 0; packet < 4; ++packet) {
                    const Bytes* from = inputs[j] + i + packet * gf::packet_bytes;
                    __m512i words[4];
                    for (std::size_t v = 0; v < 4; ++v) {
                        words[v] = _mm512_loadu_si512(from + 64 * v);
                        // The next super-block lies on pages that the CPU does not fetch ahead.
                        _mm_prefetch(
                            reinterpret_cast<const char*>(from + gf::super_block_bytes + 64 * v),
                            _MM_HINT_T1);
                    }
                    add_packet(matrix, packet, words, sums);
                }
            }
            for (std::size_t l = 0; l < 4; ++l) {
                for (std::size_t v = 0; v < 4; ++v) {
                    _mm512_storeu_si512(output + i + l * gf::packet_bytes + 64 * v, sums[l][v]);
                }
            }
        }
    }
}

FRAGMEND_GFNI void gfni_gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count,
                            Bytes* output, std::size_t bytes) {
    std::size_t i = 0;
    for (; i + 256 <= bytes; i += 256) {
        __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                          _mm512_setzero_si512()};
        for (std::size_t j = 0; j < count; ++j) {
            const __m512i matrix = every_qword(tables[j].affine);
            for (std::size_t v = 0; v < 4; ++v) {
                const __m512i in = _mm512_loadu_si512(inputs[j] + i + 64 * v);
                sum[v] = _mm512_xor_si512(sum[v], _mm512_gf2p8affine_epi64_epi8(in, matrix, 0));
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            _mm512_storeu_si512(output + i + 64 * v, sum[v]);
        }
    }
    for (; i < bytes; i += 64) {
        const __mmask64 mask = first_bytes(bytes - i);
        __m512i sum = _mm512_setzero_si512();
        for (std::size_t j = 0; j < count; ++j) {
            const __m512i in = _mm512_maskz_loadu_epi8(mask, inputs[j] + i);
            const __m512i matrix = every_qword(tables[j].affine);
            sum = _mm512_xor_si512(sum, _mm512_gf2p8affine_epi64_epi8(in, matrix, 0));
        }
        _mm512_mask_storeu_epi8(output + i, mask, sum);
    }
}

/// The bytes of a word stay where they are: even bytes are low, odd ones high. Sums of low-to-low
/// and high-to-high products are kept apart from the crosswise ones, which change places once at
/// the end.
FRAGMEND_GFNI void gfni_gf16(const Gf16Table* tables, const Bytes* const* inputs, std::size_t count,
                             Bytes* output, std::size_t bytes) {
    constexpr __mmask64 odd = 0xaaaaaaaaaaaaaaaa;
    for (std::size_t i = 0; i < bytes; i += 128) {
        const std::size_t left = bytes - i;
        const __mmask64 masks[2] = {first_bytes(left), left > 64 ? first_bytes(left - 64) : 0};
        __m512i straight[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        __m512i crossed[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        for (std::size_t j = 0; j < count; ++j) {
            const Gf16Table& table = tables[j];
            const __m512i low_to_low = every_qword(table.low_to_low);
            const __m512i high_to_high = every_qword(table.high_to_high);
            const __m512i low_to_high = every_qword(table.low_to_high);
            const __m512i high_to_low = every_qword(table.high_to_low);
            for (std::size_t v = 0; v < 2; ++v) {
                const __m512i in = _mm512_maskz_loadu_epi8(masks[v], inputs[j] + i + 64 * v);
                __m512i product = _mm512_gf2p8affine_epi64_epi8(in, low_to_low, 0);
                product = _mm512_mask_gf2p8affine_epi64_epi8(product, odd, in, high_to_high, 0);
                straight[v] = _mm512_xor_si512(straight[v], product);
                product = _mm512_gf2p8affine_epi64_epi8(in, low_to_high, 0);
                product = _mm512_mask_gf2p8affine_epi64_epi8(product, odd, in, high_to_low, 0);
                crossed[v] = _mm512_xor_si512(crossed[v], product);
            }
        }
        for (std::size_t v = 0; v < 2; ++v) {
            const __m512i swapped =
                _mm512_or_si512(_mm512_slli_epi16(crossed[v], 8), _mm512_srli_epi16(crossed[v], 8));
            _mm512_mask_storeu_epi8(output + i + 64 * v, masks[v],
                                    _mm512_xor_si512(straight[v], swapped));
        }
    }
}

constexpr DotKernels gfni = {"gfni", avx512_gf2, avx512_gf4, gfni_gf8, gfni_gf16};

}  // namespace

const DotKernels* gfni_kernels() {
    const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("gfni");
    return supported ? &gfni : nullptr;
}

}  // namespace fragmend::codec

#else

namespace fragmend::codec {

const DotKernels* gfni_kernels() {
    return nullptr;
}

}  // namespace fragmend::codec

#endif
