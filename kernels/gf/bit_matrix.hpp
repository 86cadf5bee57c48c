// Multiplication by a GF(2^4) constant as a 4 x 4 bit matrix, for Jerasure's packet layout.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/gf/field.hpp"

namespace fragmend::gf {

/// Bit x of rows[l] says that output packet l contains input packet x.
struct BitMatrix4 {
    std::array<std::uint8_t, 4> rows{};
};

/// Column x holds the bits of factor * 2^x. Source: Jerasure jerasure_matrix_to_bitmatrix.
constexpr BitMatrix4 bit_matrix4(Element factor) {
    BitMatrix4 matrix;
    for (unsigned x = 0; x < 4; ++x) {
        const Element column = multiply(Field::gf4, factor, static_cast<Element>(1u << x));
        for (unsigned l = 0; l < 4; ++l) {
            matrix.rows[l] =
                static_cast<std::uint8_t>(matrix.rows[l] | (((column >> l) & 1u) << x));
        }
    }
    return matrix;
}

}  // namespace fragmend::gf
