// Bytes that follow from their places, and what a decode of them must give.
#pragma once

#include <cstdint>

#include "kernels/api/limits.hpp"
#include "kernels/gf/field.hpp"
#include "kernels/gf/reference.hpp"

namespace fragmend::bench {

/// What outputs hold before a run, and the bytes between them after it.
inline constexpr std::uint8_t poison = 0xa5;

/// Makes the `index`th 8 bytes of a memory full of noise. Source: the splitmix64 generator.
struct Pattern {
    std::uint64_t seed = 0;

    FRAGMEND_HD constexpr std::uint64_t operator()(std::uint64_t index) const {
        std::uint64_t z = (seed + index + 1) * 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    FRAGMEND_HD constexpr std::uint8_t byte(std::uint64_t place) const {
        return static_cast<std::uint8_t>((*this)(place / 8) >> (8 * (place % 8)));
    }
};

/// The outputs of equal items whose sources, and then outputs, lie `stride` bytes apart: all items'
/// sources in front, filled with `pattern` from place 0 on, all items' outputs behind them. From
/// the field's definition, sharing neither tables nor order of work with a kernel.
struct Expectation {
    Pattern pattern;
    gf::Field field = gf::Field::gf2;
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;  ///< Of a payload.
    std::uint64_t stride = 0;
    std::uint32_t sources = 0;
    std::uint32_t outputs = 0;
    gf::Element coefficients[kernels::outputs_max][kernels::sources_max] = {};

    FRAGMEND_HD constexpr std::uint64_t size() const { return items * outputs * stride; }

    /// Byte `index` of the outputs' memory, the unused bytes between two of them included.
    FRAGMEND_HD constexpr std::uint8_t operator()(std::uint64_t index) const {
        const std::uint64_t i = index % stride;
        if (i >= bytes) return poison;
        const std::uint64_t item = index / stride / outputs;
        const gf::Element* row = coefficients[index / stride % outputs];
        std::uint32_t sum = 0;
        for (std::uint32_t j = 0; j < sources; ++j) {
            sum ^= product(row[j], (item * sources + j) * stride, i);
        }
        return static_cast<std::uint8_t>(sum);
    }

    /// Byte `i` of a factor times the source that begins at `first`.
    FRAGMEND_HD constexpr std::uint32_t product(gf::Element factor, std::uint64_t first,
                                                std::uint64_t i) const {
        if (field == gf::Field::gf4) return packet_product(factor, first, i);
        if (field == gf::Field::gf16) {
            const std::uint64_t word = first + i / 2 * 2;
            const auto element =
                static_cast<gf::Element>(pattern.byte(word) | pattern.byte(word + 1) << 8);
            return gf::multiply(field, factor, element) >> (i % 2 * 8) & 0xffu;
        }
        if (field == gf::Field::gf2) return factor != 0 ? pattern.byte(first + i) : 0u;
        return gf::multiply(field, factor, pattern.byte(first + i));
    }

    /// The same in Jerasure's packets: bit x of an element is in packet x of its super-block.
    FRAGMEND_HD constexpr std::uint32_t packet_product(gf::Element factor, std::uint64_t first,
                                                       std::uint64_t i) const {
        const std::uint64_t bit = i % gf::super_block_bytes / gf::packet_bytes;
        const std::uint64_t block = first + i / gf::super_block_bytes * gf::super_block_bytes;
        std::uint32_t sum = 0;
        for (std::uint32_t x = 0; x < 4; ++x) {
            const gf::Element column =
                gf::multiply(field, factor, static_cast<gf::Element>(1u << x));
            if ((column >> bit & 1u) == 0) continue;
            sum ^= pattern.byte(block + x * gf::packet_bytes + i % gf::packet_bytes);
        }
        return sum;
    }
};

}  // namespace fragmend::bench
