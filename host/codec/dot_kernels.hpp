// The inner loops of decoding: one output as a sum of products, for each field and kind of CPU.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/gf/bit_matrix.hpp"
#include "kernels/gf/field.hpp"

namespace fragmend::codec {

/// Products of one GF(2^8) coefficient: by nibbles for shuffles, and as the 8 x 8 bit matrix of
/// GF2P8AFFINEQB.
struct Gf8Table {
    std::array<std::uint8_t, 16> low{};   ///< c * v
    std::array<std::uint8_t, 16> high{};  ///< c * (v << 4)
    std::uint64_t affine = 0;
};

/// Products of one GF(2^16) coefficient, for words whose bytes lie low, high (see `Gf8Table`).
struct Gf16Table {
    std::array<std::array<std::uint8_t, 16>, 4> low{};   ///< Low byte of c * (v << 4n).
    std::array<std::array<std::uint8_t, 16>, 4> high{};  ///< High byte of the same.
    std::uint64_t low_to_low = 0;
    std::uint64_t low_to_high = 0;
    std::uint64_t high_to_low = 0;
    std::uint64_t high_to_high = 0;
};

Gf8Table make_gf8_table(gf::Element coefficient);
Gf16Table make_gf16_table(gf::Element coefficient);

/// One byte of a payload as the loops see it.
using Bytes = std::uint8_t;

/// Writes output[0, bytes) = sum over j < count of table[j] * inputs[j], count >= 1, any alignment.
template <typename Table>
using DotKernel = void (*)(const Table* tables, const Bytes* const* inputs, std::size_t count,
                           Bytes* output, std::size_t bytes);
/// The same with all coefficients 1.
using XorKernel = void (*)(const Bytes* const* inputs, std::size_t count, Bytes* output,
                           std::size_t bytes);

/// The loops for one kind of CPU. `gf4` works in whole super-blocks, `gf16` in whole words.
struct DotKernels {
    std::string_view name;
    XorKernel gf2;
    DotKernel<gf::BitMatrix4> gf4;
    DotKernel<Gf8Table> gf8;
    DotKernel<Gf16Table> gf16;
};

/// The inputs from `offset` on, for the bytes that do not fill a vector.
struct TailInputs {
    static constexpr std::size_t inputs_max = 256;
    TailInputs(const Bytes* const* inputs, std::size_t count, std::size_t offset) {
        for (std::size_t j = 0; j < count; ++j)
            pointers[j] = inputs[j] + offset;
    }
    std::array<const Bytes*, inputs_max> pointers;
};

/// Runs anywhere.
extern const DotKernels portable_kernels;

/// All that this CPU can run, the fastest last. `portable_kernels` is always the first.
std::span<const DotKernels* const> available_kernels();

}  // namespace fragmend::codec
