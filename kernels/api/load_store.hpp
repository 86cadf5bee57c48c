// Reading and writing a thread's 16 bytes at any alignment, without touching a byte outside.
//
// A stride of 80 + payload puts fragments at any alignment, and bytes beyond a fragment may be
// another thread's output or no memory at all. So only columns with enough neighbours of their own
// fragment read whole words around them; the first and the last go byte by byte.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/gf/hd.hpp"

#ifdef __CUDA_ARCH__
#define FRAGMEND_UNROLL _Pragma("unroll")
#define FRAGMEND_NO_UNROLL _Pragma("unroll 1")
#else
#define FRAGMEND_UNROLL
#define FRAGMEND_NO_UNROLL
#endif

namespace fragmend::kernels {

inline constexpr unsigned column_bytes = 16;

/// What a thread handles of one fragment at a time.
struct alignas(16) Column {
    std::uint32_t words[4] = {};
};

/// `p` a multiple of 4.
FRAGMEND_HD inline std::uint32_t load_word(const std::uint8_t* p) {
#ifdef __CUDA_ARCH__
    return __ldg(reinterpret_cast<const unsigned int*>(p));
#else
    std::uint32_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
#endif
}

/// `p` a multiple of 16.
FRAGMEND_HD inline Column load_aligned(const std::uint8_t* p) {
    Column column;
#ifdef __CUDA_ARCH__
    const uint4 v = __ldg(reinterpret_cast<const uint4*>(p));
    column.words[0] = v.x;
    column.words[1] = v.y;
    column.words[2] = v.z;
    column.words[3] = v.w;
#else
    std::memcpy(&column, p, sizeof column);
#endif
    return column;
}

/// `p` a multiple of 16.
FRAGMEND_HD inline void store_aligned(std::uint8_t* p, const Column& column) {
#ifdef __CUDA_ARCH__
    *reinterpret_cast<uint4*>(p) =
        make_uint4(column.words[0], column.words[1], column.words[2], column.words[3]);
#else
    std::memcpy(p, &column, sizeof column);
#endif
}

/// A little-endian word out of four bytes at any place.
FRAGMEND_HD inline std::uint32_t word_of(const std::uint8_t* p) {
    return p[0] | static_cast<std::uint32_t>(p[1]) << 8 | static_cast<std::uint32_t>(p[2]) << 16 |
           static_cast<std::uint32_t>(p[3]) << 24;
}

/// How far `p` lies beyond a multiple of `alignment`, a power of two.
FRAGMEND_HD inline unsigned skew(const std::uint8_t* p, unsigned alignment) {
    return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(p)) & (alignment - 1);
}

/// `count` little-endian words at `p`, of which `before` bytes in front and `after` bytes from `p`
/// on may be read; after >= 4 * count.
template <unsigned count>
FRAGMEND_HD inline void load_words(const std::uint8_t* p, std::uint64_t before, std::uint64_t after,
                                   std::uint32_t (&words)[count]) {
    const unsigned shift = skew(p, 4);
    if (shift == 0) {
        FRAGMEND_UNROLL
        for (unsigned i = 0; i < count; ++i) {
            words[i] = load_word(p + 4 * i);
        }
    } else if (before >= shift && after >= 4 * count + 4 - shift) {
        const std::uint8_t* q = p - shift;
        std::uint32_t low = load_word(q);
        FRAGMEND_UNROLL
        for (unsigned i = 0; i < count; ++i) {
            const std::uint32_t high = load_word(q + 4 * (i + 1));
            const std::uint64_t both = static_cast<std::uint64_t>(high) << 32 | low;
            words[i] = static_cast<std::uint32_t>(both >> (8 * shift));
            low = high;
        }
    } else {
        FRAGMEND_UNROLL
        for (unsigned i = 0; i < count; ++i) {
            words[i] = word_of(p + 4 * i);
        }
    }
}

/// The 16 bytes at `offset` < `bytes` of a fragment; zeros beyond its end.
FRAGMEND_HD inline Column load_column(const std::uint8_t* fragment, std::uint64_t offset,
                                      std::uint64_t bytes) {
    Column column;
    const std::uint64_t left = bytes - offset;
    if (left >= column_bytes) {
        load_words(fragment + offset, offset, left, column.words);
        return column;
    }
    FRAGMEND_UNROLL
    for (unsigned i = 0; i < column_bytes; ++i) {
        if (i < left)
            column.words[i / 4] |= static_cast<std::uint32_t>(fragment[offset + i])
                                   << (8 * (i % 4));
    }
    return column;
}

/// The other way round: bytes beyond the fragment's end are not written.
FRAGMEND_HD inline void store_column(std::uint8_t* fragment, std::uint64_t offset,
                                     std::uint64_t bytes, const Column& column) {
    const std::uint64_t left = bytes - offset;
    if (left >= column_bytes && skew(fragment + offset, column_bytes) == 0) {
        store_aligned(fragment + offset, column);
        return;
    }
    FRAGMEND_UNROLL
    for (unsigned i = 0; i < column_bytes; ++i) {
        if (i < left)
            fragment[offset + i] = static_cast<std::uint8_t>(column.words[i / 4] >> (8 * (i % 4)));
    }
}

}  // namespace fragmend::kernels
