// The fields' arithmetic.
#include "kernels/gf/field.hpp"

#include <gtest/gtest.h>

namespace fragmend::gf {
namespace {

constexpr Field fields[] = {Field::gf2, Field::gf4, Field::gf8, Field::gf16};

/// Product by long multiplication and division of polynomials, unlike the code under test.
std::uint32_t long_product(Field field, std::uint32_t a, std::uint32_t b) {
    std::uint64_t product = 0;
    for (unsigned i = 0; i < 16; ++i) {
        if ((b >> i) & 1u) product ^= std::uint64_t{a} << i;
    }
    for (unsigned i = 31; i >= bits(field); --i) {
        if ((product >> i) & 1u) product ^= std::uint64_t{polynomial(field)} << (i - bits(field));
    }
    return static_cast<std::uint32_t>(product);
}

TEST(Field, ProductsAreThoseOfPolynomials) {
    for (Field field : fields) {
        const std::uint32_t size = 1u << bits(field);
        const std::uint32_t stride = size > 256 ? 251 : 1;
        for (std::uint32_t a = 0; a < size; a += stride) {
            for (std::uint32_t b = 0; b < size; b += stride) {
                const Element product =
                    multiply(field, static_cast<Element>(a), static_cast<Element>(b));
                ASSERT_EQ(product, long_product(field, a, b)) << bits(field);
            }
        }
    }
}

TEST(Field, EveryElementButZeroHasAnInverse) {
    for (Field field : fields) {
        for (std::uint32_t a = 1; a < (1u << bits(field)); ++a) {
            const auto element = static_cast<Element>(a);
            ASSERT_EQ(multiply(field, element, inverse(field, element)), 1) << bits(field);
        }
        EXPECT_EQ(inverse(field, 0), 0);
    }
}

TEST(Field, TwoGeneratesTheLargerFields) {
    for (Field field : {Field::gf4, Field::gf8, Field::gf16}) {
        const std::uint32_t order = (1u << bits(field)) - 1;
        Element value = 1;
        for (std::uint32_t i = 1; i <= order; ++i) {
            value = twice(field, value);
            ASSERT_EQ(value == 1, i == order) << bits(field) << ' ' << i;
        }
    }
}

TEST(Field, PowersAreRepeatedProducts) {
    Element value = 1;
    for (std::uint32_t exponent = 0; exponent < 300; ++exponent) {
        ASSERT_EQ(power(Field::gf16, 0x1234, exponent), value);
        value = multiply(Field::gf16, value, 0x1234);
    }
    EXPECT_EQ(power(Field::gf8, 0, 0), 1);
    EXPECT_EQ(power(Field::gf8, 0, 3), 0);
}

}  // namespace
}  // namespace fragmend::gf
