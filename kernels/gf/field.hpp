// The finite fields of Swift's erasure codes, element by element.
#pragma once

#include <cstdint>

#include "kernels/gf/hd.hpp"

namespace fragmend::gf {

/// GF(2) for the flat XOR codes, GF(2^4) for Jerasure's bit matrices, GF(2^8) for ISA-L, GF(2^16)
/// for the two Vandermonde codes.
enum class Field : std::uint8_t { gf2, gf4, gf8, gf16 };

/// An element of any of them, in its low bits.
using Element = std::uint16_t;

FRAGMEND_HD constexpr unsigned bits(Field field) {
    switch (field) {
        case Field::gf2:
            return 1;
        case Field::gf4:
            return 4;
        case Field::gf8:
            return 8;
        case Field::gf16:
            return 16;
    }
    return 0;
}

/// The reduction polynomial with its leading bit. Source: gf-complete's and ISA-L's defaults.
FRAGMEND_HD constexpr std::uint32_t polynomial(Field field) {
    switch (field) {
        case Field::gf2:
            return 0x3;
        case Field::gf4:
            return 0x13;
        case Field::gf8:
            return 0x11d;
        case Field::gf16:
            return 0x1100b;
    }
    return 0;
}

/// a * 2.
FRAGMEND_HD constexpr Element twice(Field field, Element a) {
    const std::uint32_t shifted = static_cast<std::uint32_t>(a) << 1;
    const bool overflows = (shifted >> bits(field)) != 0;
    return static_cast<Element>(overflows ? shifted ^ polynomial(field) : shifted);
}

/// a * b by shift and reduce: the definition, on which tables and kernels are built and tested.
FRAGMEND_HD constexpr Element multiply(Field field, Element a, Element b) {
    Element product = 0;
    for (; b != 0; b = static_cast<Element>(b >> 1)) {
        if (b & 1u) product ^= a;
        a = twice(field, a);
    }
    return product;
}

FRAGMEND_HD constexpr Element power(Field field, Element base, std::uint32_t exponent) {
    Element result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1u) result = multiply(field, result, base);
        base = multiply(field, base, base);
    }
    return result;
}

/// 1 / a for a != 0; 0 for 0, so that a caller who forgets gets a result that no check passes.
FRAGMEND_HD constexpr Element inverse(Field field, Element a) {
    if (a == 0) return 0;
    return power(field, a, (1u << bits(field)) - 2u);
}

}  // namespace fragmend::gf
