// Folding a message of at most 64 bytes, then Barrett's reduction.
#include "host/codec/crc32_x86.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

namespace fragmend::codec {
namespace {

#define FRAGMEND_PCLMUL __attribute__((target("pclmul,sse4.1")))

/// Powers of x modulo the polynomial in the reflected order of bits. Source: Gopal et al., "Fast
/// CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009.
constexpr long long x_160 = 0x1751997d0;
constexpr long long x_96 = 0x0ccaa009e;
constexpr long long x_64 = 0x163cd6124;
constexpr long long polynomial = 0x1db710641;
constexpr long long quotient = 0x1f7011641;  ///< floor(x^64 / polynomial).

FRAGMEND_PCLMUL std::uint32_t crc32(const std::byte* data, std::size_t bytes) {
    // Zeros in front change nothing when the register starts at zero; its real start, all ones, is
    // added to the message's first four bytes.
    alignas(16) std::uint8_t message[64] = {};
    std::uint8_t* first = message + sizeof message - bytes;
    std::memcpy(first, data, bytes);
    std::uint32_t start = 0;
    std::memcpy(&start, first, sizeof start);
    start = ~start;
    std::memcpy(first, &start, sizeof start);

    const auto block = [&](std::size_t i) {
        return _mm_load_si128(reinterpret_cast<const __m128i*>(message + 16 * i));
    };
    const __m128i fold = _mm_set_epi64x(x_96, x_160);
    __m128i sum = _mm_load_si128(reinterpret_cast<const __m128i*>(message));
    for (std::size_t i = 1; i < sizeof message / 16; ++i) {
        const __m128i low = _mm_clmulepi64_si128(sum, fold, 0x00);
        const __m128i high = _mm_clmulepi64_si128(sum, fold, 0x11);
        sum = _mm_xor_si128(_mm_xor_si128(low, high), block(i));
    }
    // 128 bits to 96, to 64, then the remainder of those.
    const __m128i low_words = _mm_setr_epi32(~0, 0, ~0, 0);
    sum = _mm_xor_si128(_mm_clmulepi64_si128(sum, fold, 0x10), _mm_srli_si128(sum, 8));
    const __m128i reduce = _mm_set_epi64x(0, x_64);
    sum = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(sum, low_words), reduce, 0x00),
                        _mm_srli_si128(sum, 4));
    const __m128i barrett = _mm_set_epi64x(quotient, polynomial);
    __m128i estimate = _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), barrett, 0x10);
    estimate = _mm_clmulepi64_si128(_mm_and_si128(estimate, low_words), barrett, 0x00);
    return ~static_cast<std::uint32_t>(_mm_extract_epi32(_mm_xor_si128(sum, estimate), 1));
}

}  // namespace

ShortCrc pclmul_crc32() {
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1") ? crc32 : nullptr;
}

}  // namespace fragmend::codec

#else

namespace fragmend::codec {

ShortCrc pclmul_crc32() {
    return nullptr;
}

}  // namespace fragmend::codec

#endif
