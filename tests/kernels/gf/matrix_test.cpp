// Inversion and spans.
#include "kernels/gf/matrix.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

namespace fragmend::gf {
namespace {

std::mt19937_64 make_random() {
    const char* text = std::getenv("FRAGMEND_SEED");
    const std::uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 7;
    std::cout << "FRAGMEND_SEED=" << seed << '\n';
    return std::mt19937_64(seed);
}

Matrix identity(Field field, std::size_t size) {
    Matrix matrix(field, size, size);
    for (std::size_t i = 0; i < size; ++i) {
        matrix.at(i, i) = 1;
    }
    return matrix;
}

Matrix random_matrix(Field field, std::size_t rows, std::size_t columns, std::mt19937_64& random) {
    Matrix matrix(field, rows, columns);
    for (std::size_t i = 0; i < rows; ++i) {
        for (Element& element : matrix.row(i)) {
            element = static_cast<Element>(random() & ((1u << bits(field)) - 1));
        }
    }
    return matrix;
}

TEST(Matrix, AnInverseUndoesItsMatrix) {
    std::mt19937_64 random = make_random();
    int inverted = 0;
    for (Field field : {Field::gf2, Field::gf4, Field::gf8, Field::gf16}) {
        for (std::size_t size = 1; size <= 12; ++size) {
            const Matrix matrix = random_matrix(field, size, size, random);
            const auto result = inverse(matrix);
            if (!result) continue;
            ++inverted;
            EXPECT_EQ(multiply(matrix, *result), identity(field, size));
            EXPECT_EQ(multiply(*result, matrix), identity(field, size));
        }
    }
    EXPECT_GT(inverted, 20);
}

TEST(Matrix, ASingularMatrixHasNoInverse) {
    std::mt19937_64 random = make_random();
    for (Field field : {Field::gf2, Field::gf4, Field::gf8, Field::gf16}) {
        Matrix matrix = random_matrix(field, 5, 5, random);
        for (std::size_t j = 0; j < 5; ++j) {
            matrix.at(4, j) = matrix.at(1, j) ^ matrix.at(3, j);
        }
        EXPECT_FALSE(inverse(matrix));
        EXPECT_FALSE(inverse(Matrix(field, 3, 3)));
    }
}

TEST(RowSpace, ExpressesWhatItSpansAndNothingElse) {
    RowSpace space(Field::gf8, 3, 4);
    const Element rows[4][3] = {{1, 2, 0}, {2, 4, 0}, {0, 0, 7}, {0, 1, 1}};
    EXPECT_TRUE(space.add(rows[0]));
    EXPECT_FALSE(space.add(rows[1])) << "twice the first";
    EXPECT_TRUE(space.add(rows[2]));
    const Element inside[3] = {3, 6, 7};
    const auto found = space.express(inside);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, (std::vector<Element>{3, 0, 1}));
    const Element outside[3] = {0, 1, 0};
    EXPECT_FALSE(space.express(outside));
    EXPECT_TRUE(space.add(rows[3]));
    EXPECT_EQ(space.dimension(), 3u);
    EXPECT_TRUE(space.express(outside));
}

}  // namespace
}  // namespace fragmend::gf
