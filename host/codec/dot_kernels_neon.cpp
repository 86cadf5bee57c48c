// Decoding loops on NEON, which every 64-bit ARM has.
#include "host/codec/dot_kernels_neon.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels/gf/reference.hpp"

namespace fragmend::codec {
namespace {

void neon_gf2(const Bytes* const* inputs, std::size_t count, Bytes* output, std::size_t bytes) {
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
        uint8x16_t sum[4];
        for (std::size_t v = 0; v < 4; ++v) {
            sum[v] = vld1q_u8(inputs[0] + i + 16 * v);
        }
        for (std::size_t j = 1; j < count; ++j) {
            for (std::size_t v = 0; v < 4; ++v) {
                sum[v] = veorq_u8(sum[v], vld1q_u8(inputs[j] + i + 16 * v));
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            vst1q_u8(output + i + 16 * v, sum[v]);
        }
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf2(tail.pointers.data(), count, output + i, bytes - i);
}

/// All inputs for one stretch of columns before the next, so that the sums stay in registers.
void neon_gf4(const gf::BitMatrix4* tables, const Bytes* const* inputs, std::size_t count,
              Bytes* output, std::size_t bytes) {
    for (std::size_t block = 0; block < bytes; block += gf::super_block_bytes) {
        for (std::size_t i = block; i < block + gf::packet_bytes; i += 32) {
            uint8x16_t sums[4][2];
            for (auto& sum : sums) {
                sum[0] = sum[1] = vdupq_n_u8(0);
            }
            for (std::size_t j = 0; j < count; ++j) {
                for (std::size_t packet = 0; packet < 4; ++packet) {
                    const Bytes* from = inputs[j] + i + packet * gf::packet_bytes;
                    const uint8x16_t words[2] = {vld1q_u8(from), vld1q_u8(from + 16)};
                    for (std::size_t l = 0; l < 4; ++l) {
                        if (!((tables[j].rows[l] >> packet) & 1u)) continue;
                        sums[l][0] = veorq_u8(sums[l][0], words[0]);
                        sums[l][1] = veorq_u8(sums[l][1], words[1]);
                    }
                }
            }
            for (std::size_t l = 0; l < 4; ++l) {
                vst1q_u8(output + i + l * gf::packet_bytes, sums[l][0]);
                vst1q_u8(output + i + l * gf::packet_bytes + 16, sums[l][1]);
            }
        }
    }
}

void neon_gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count, Bytes* output,
              std::size_t bytes) {
    const uint8x16_t nibble = vdupq_n_u8(15);
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
        uint8x16_t sum[4] = {vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)};
        for (std::size_t j = 0; j < count; ++j) {
            const uint8x16_t low_table = vld1q_u8(tables[j].low.data());
            const uint8x16_t high_table = vld1q_u8(tables[j].high.data());
            for (std::size_t v = 0; v < 4; ++v) {
                const uint8x16_t in = vld1q_u8(inputs[j] + i + 16 * v);
                const uint8x16_t low = vqtbl1q_u8(low_table, vandq_u8(in, nibble));
                const uint8x16_t high = vqtbl1q_u8(high_table, vshrq_n_u8(in, 4));
                sum[v] = veorq_u8(sum[v], veorq_u8(low, high));
            }
        }
        for (std::size_t v = 0; v < 4; ++v) {
            vst1q_u8(output + i + 16 * v, sum[v]);
        }
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf8(tables, tail.pointers.data(), count, output + i, bytes - i);
}

void neon_gf16(const Gf16Table* tables, const Bytes* const* inputs, std::size_t count,
               Bytes* output, std::size_t bytes) {
    const uint8x16_t nibble = vdupq_n_u8(15);
    std::size_t i = 0;
    for (; i + 32 <= bytes; i += 32) {
        uint8x16x2_t sum = {{vdupq_n_u8(0), vdupq_n_u8(0)}};
        for (std::size_t j = 0; j < count; ++j) {
            // Low bytes of sixteen words, and their high bytes.
            const uint8x16x2_t in = vld2q_u8(inputs[j] + i);
            const uint8x16_t nibbles[4] = {vandq_u8(in.val[0], nibble), vshrq_n_u8(in.val[0], 4),
                                           vandq_u8(in.val[1], nibble), vshrq_n_u8(in.val[1], 4)};
            for (std::size_t n = 0; n < 4; ++n) {
                const uint8x16_t low = vld1q_u8(tables[j].low[n].data());
                const uint8x16_t high = vld1q_u8(tables[j].high[n].data());
                sum.val[0] = veorq_u8(sum.val[0], vqtbl1q_u8(low, nibbles[n]));
                sum.val[1] = veorq_u8(sum.val[1], vqtbl1q_u8(high, nibbles[n]));
            }
        }
        vst2q_u8(output + i, sum);
    }
    if (i == bytes) return;
    const TailInputs tail(inputs, count, i);
    portable_kernels.gf16(tables, tail.pointers.data(), count, output + i, bytes - i);
}

constexpr DotKernels neon = {"neon", neon_gf2, neon_gf4, neon_gf8, neon_gf16};

}  // namespace

const DotKernels* neon_kernels() {
    return &neon;
}

}  // namespace fragmend::codec

#else

namespace fragmend::codec {

const DotKernels* neon_kernels() {
    return nullptr;
}

}  // namespace fragmend::codec

#endif
