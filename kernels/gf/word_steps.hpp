// What one thread does to one 32-bit word of a fragment: products and sums for each field.
//
// A row of k coefficients over words is computed in one of two ways. `horner_*` has no tables and
// is simple to prove. The `Prmt` accumulators look up the products of three-bit pieces with the
// GPU's byte permutation: each nibble's low three bits in a table of its coefficient; the nibbles'
// top bits, gathered from three survivors, in a table of three coefficients. How far a nibble's
// place moves the product is applied once to the sums, not to each product.
#pragma once

#include <cstdint>

#include "kernels/gf/field.hpp"
#include "kernels/gf/hd.hpp"

namespace fragmend::gf {

/// PTX prmt.b32 in its default mode: byte i of the result is the byte of high:low that nibble i of
/// `selector` names, or eight copies of its sign when the nibble's top bit is set.
FRAGMEND_HD inline std::uint32_t permute_bytes(std::uint32_t low, std::uint32_t high,
                                               std::uint32_t selector) {
#ifdef __CUDA_ARCH__
    std::uint32_t result;
    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(result) : "r"(low), "r"(high), "r"(selector));
    return result;
#else
    const std::uint64_t bytes = static_cast<std::uint64_t>(high) << 32 | low;
    std::uint32_t result = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const std::uint32_t nibble = (selector >> (4 * i)) & 15u;
        auto byte = static_cast<std::uint32_t>(bytes >> (8 * (nibble & 7u))) & 0xffu;
        if (nibble & 8u) byte = (byte & 0x80u) != 0 ? 0xffu : 0u;
        result |= byte << (8 * i);
    }
    return result;
#endif
}

/// Each of four bytes of GF(2^8) times 2.
FRAGMEND_HD constexpr std::uint32_t twice_gf8(std::uint32_t word) {
    const std::uint32_t top = (word >> 7) & 0x01010101u;
    return ((word & 0x7f7f7f7fu) << 1) ^ (top * 0x1du);
}

/// Each of two words of GF(2^16) times 2.
FRAGMEND_HD constexpr std::uint32_t twice_gf16(std::uint32_t word) {
    const std::uint32_t top = (word >> 15) & 0x00010001u;
    return ((word & 0x7fff7fffu) << 1) ^ (top * 0x100bu);
}

/// Each of four bytes of GF(2^8) times 16. The four bits t that overflow come back as t * 0x1d,
/// which stays below 2^8.
FRAGMEND_HD constexpr std::uint32_t times16_gf8(std::uint32_t word) {
    const std::uint32_t t = (word >> 4) & 0x0f0f0f0fu;
    return ((word & 0x0f0f0f0fu) << 4) ^ t ^ (t << 2) ^ (t << 3) ^ (t << 4);
}

/// Each of two words of GF(2^16) times 16. Overflowing bits t come back as t * 0x100b, below 2^16.
FRAGMEND_HD constexpr std::uint32_t times16_gf16(std::uint32_t word) {
    const std::uint32_t t = (word >> 12) & 0x000f000fu;
    return ((word & 0x0fff0fffu) << 4) ^ t ^ (t << 1) ^ (t << 3) ^ (t << 12);
}

/// All ones when bit `bit` of the coefficient is set.
FRAGMEND_HD constexpr std::uint32_t bit_mask(Element coefficient, unsigned bit) {
    return 0u - ((static_cast<std::uint32_t>(coefficient) >> bit) & 1u);
}

/// sum over j of row[j] * words[j], four elements of GF(2^8) a word, highest coefficient bits
/// first.
FRAGMEND_HD constexpr std::uint32_t horner_gf8(const Element* row, const std::uint32_t* words,
                                               unsigned count) {
    std::uint32_t sum = 0;
    for (unsigned bit = 8; bit-- > 0;) {
        sum = twice_gf8(sum);
        for (unsigned j = 0; j < count; ++j) {
            sum ^= words[j] & bit_mask(row[j], bit);
        }
    }
    return sum;
}

/// The same for two elements of GF(2^16) a word, in little-endian byte order.
FRAGMEND_HD constexpr std::uint32_t horner_gf16(const Element* row, const std::uint32_t* words,
                                                unsigned count) {
    std::uint32_t sum = 0;
    for (unsigned bit = 16; bit-- > 0;) {
        sum = twice_gf16(sum);
        for (unsigned j = 0; j < count; ++j) {
            sum ^= words[j] & bit_mask(row[j], bit);
        }
    }
    return sum;
}

/// Adds the products of one survivor's four packet words to four output packet words; GF(2^4).
/// rows[l] is row l of the coefficient's bit matrix (`bit_matrix4`).
FRAGMEND_HD constexpr void add_packets(const std::uint8_t (&rows)[4],
                                       const std::uint32_t (&packets)[4],
                                       std::uint32_t (&sums)[4]) {
    for (unsigned l = 0; l < 4; ++l) {
        for (unsigned x = 0; x < 4; ++x) {
            sums[l] ^= packets[x] & bit_mask(rows[l], x);
        }
    }
}

/// Eight bytes to look up with three-bit selectors.
struct ByteTable {
    std::uint32_t low = 0;   ///< Entries 0 to 3.
    std::uint32_t high = 0;  ///< Entries 4 to 7.
};

/// Entry v is the byte `8 * byte_index` bits up of the sum of basis[i] over the bits i of v.
FRAGMEND_HD constexpr ByteTable make_byte_table(const Element (&basis)[3], unsigned byte_index) {
    ByteTable table;
    for (unsigned v = 0; v < 8; ++v) {
        Element sum = 0;
        for (unsigned i = 0; i < 3; ++i) {
            if ((v >> i) & 1u) sum ^= basis[i];
        }
        const std::uint32_t byte = (static_cast<std::uint32_t>(sum) >> (8 * byte_index)) & 0xffu;
        (v < 4 ? table.low : table.high) |= byte << (8 * (v & 3u));
    }
    return table;
}

/// The tables of three neighbouring coefficients of a row (0 for those that a row lacks), for the
/// low (0) or the high (1) byte of products. GF(2^8) has the low byte only.
struct TripleTables {
    ByteTable pieces[3];  ///< coefficient i * (0 .. 7).
    ByteTable top_bits;   ///< The sum of coefficient i * 8 over the bits i of the selector.
};

FRAGMEND_HD constexpr TripleTables make_triple_tables(Field field, const Element (&coefficients)[3],
                                                      unsigned byte_index) {
    TripleTables tables;
    Element eights[3] = {};
    for (unsigned i = 0; i < 3; ++i) {
        const Element two = twice(field, coefficients[i]);
        const Element basis[3] = {coefficients[i], two, twice(field, two)};
        tables.pieces[i] = make_byte_table(basis, byte_index);
        eights[i] = twice(field, basis[2]);
    }
    tables.top_bits = make_byte_table(eights, byte_index);
    return tables;
}

/// The top bits of all nibbles of three words, gathered as three-bit selectors.
FRAGMEND_HD constexpr std::uint32_t gather_top_bits(const std::uint32_t (&words)[3]) {
    return ((words[0] >> 3) & 0x11111111u) | ((words[1] >> 2) & 0x22222222u) |
           ((words[2] >> 1) & 0x44444444u);
}

/// Sums of one byte of the products of a word's eight nibbles, each as if it were the lowest.
struct NibbleSums {
    std::uint32_t first = 0;   ///< Byte i belongs to nibble i.
    std::uint32_t second = 0;  ///< Byte i belongs to nibble 4 + i.
};

/// Adds the products of three survivors' words.
FRAGMEND_HD inline void add_triple(const TripleTables& tables, const std::uint32_t (&words)[3],
                                   NibbleSums& sums) {
    for (unsigned i = 0; i < 3; ++i) {
        const std::uint32_t selectors = words[i] & 0x77777777u;
        const ByteTable& piece = tables.pieces[i];
        sums.first ^= permute_bytes(piece.low, piece.high, selectors);
        sums.second ^= permute_bytes(piece.low, piece.high, selectors >> 16);
    }
    const std::uint32_t selectors = gather_top_bits(words);
    sums.first ^= permute_bytes(tables.top_bits.low, tables.top_bits.high, selectors);
    sums.second ^= permute_bytes(tables.top_bits.low, tables.top_bits.high, selectors >> 16);
}

/// The output word of GF(2^8): low nibbles as they are, high nibbles times 16.
FRAGMEND_HD inline std::uint32_t finish_gf8(const NibbleSums& sums) {
    const std::uint32_t low = permute_bytes(sums.first, sums.second, 0x6420);
    const std::uint32_t high = permute_bytes(sums.first, sums.second, 0x7531);
    return low ^ times16_gf8(high);
}

/// The output word of GF(2^16) out of the sums of the products' low and high bytes: nibble p of
/// each element times 16^p.
FRAGMEND_HD inline std::uint32_t finish_gf16(const NibbleSums& low, const NibbleSums& high) {
    std::uint32_t result = 0;
    for (unsigned p = 4; p-- > 0;) {
        const std::uint32_t select = p | ((4 + p) << 4);
        // Byte p of both elements: the first element's sums lie in `first`, the second's in
        // `second`.
        const std::uint32_t lows = permute_bytes(low.first, low.second, select);
        const std::uint32_t highs = permute_bytes(high.first, high.second, select);
        result = times16_gf16(result) ^ permute_bytes(lows, highs, 0x5140);
    }
    return result;
}

}  // namespace fragmend::gf
