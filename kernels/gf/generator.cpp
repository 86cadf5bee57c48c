// Generator matrices, each built by its library's own rule.
#include "kernels/gf/generator.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace fragmend::gf {
namespace {

Matrix with_identity(Field field, int k, int m) {
    Matrix matrix(field, static_cast<std::size_t>(k + m), static_cast<std::size_t>(k));
    for (std::size_t i = 0; i < matrix.columns(); ++i) {
        matrix.at(i, i) = 1;
    }
    return matrix;
}

void scale_column(Matrix& matrix, std::size_t column, Element factor, std::size_t first_row = 0) {
    for (std::size_t i = first_row; i < matrix.rows(); ++i) {
        matrix.at(i, column) = multiply(matrix.field(), matrix.at(i, column), factor);
    }
}

/// Turns the top square into the identity by column operations, which keep the code the same.
void make_systematic(Matrix& matrix) {
    const Field field = matrix.field();
    for (std::size_t i = 1; i < matrix.columns(); ++i) {
        std::size_t found = i;
        while (matrix.at(found, i) == 0)
            ++found;
        if (found != i)
            std::swap_ranges(matrix.row(i).begin(), matrix.row(i).end(), matrix.row(found).begin());
        scale_column(matrix, i, inverse(field, matrix.at(i, i)));
        for (std::size_t j = 0; j < matrix.columns(); ++j) {
            const Element factor = matrix.at(i, j);
            if (j == i || factor == 0) continue;
            for (std::size_t row = 0; row < matrix.rows(); ++row) {
                matrix.at(row, j) ^= multiply(field, factor, matrix.at(row, i));
            }
        }
    }
    // The first parity becomes a plain XOR.
    for (std::size_t j = 0; j < matrix.columns(); ++j) {
        scale_column(matrix, j, inverse(field, matrix.at(matrix.columns(), j)), matrix.columns());
    }
}

/// Rows (1, 0, ..), then i^0, i^1, ..; Jerasure ends with (.., 0, 1) and also scales its parity
/// rows.
Matrix systematic_vandermonde(int k, int m, bool jerasure) {
    Matrix matrix(Field::gf16, static_cast<std::size_t>(k + m), static_cast<std::size_t>(k));
    matrix.at(0, 0) = 1;
    for (std::size_t i = 1; i < matrix.rows(); ++i) {
        for (std::size_t j = 0; j < matrix.columns(); ++j) {
            matrix.at(i, j) =
                power(Field::gf16, static_cast<Element>(i), static_cast<std::uint32_t>(j));
        }
    }
    if (jerasure) {
        for (std::size_t j = 0; j < matrix.columns(); ++j) {
            matrix.at(matrix.rows() - 1, j) = j + 1 == matrix.columns() ? 1 : 0;
        }
    }
    make_systematic(matrix);
    if (!jerasure) return matrix;
    for (std::size_t i = matrix.columns() + 1; i < matrix.rows(); ++i) {
        const Element factor = inverse(Field::gf16, matrix.at(i, 0));
        for (Element& element : matrix.row(i)) {
            element = multiply(Field::gf16, element, factor);
        }
    }
    return matrix;
}

Matrix isa_l_vandermonde(int k, int m) {
    Matrix matrix = with_identity(Field::gf8, k, m);
    for (std::size_t r = matrix.columns(); r < matrix.rows(); ++r) {
        const Element base = power(Field::gf8, 2, static_cast<std::uint32_t>(r - matrix.columns()));
        for (std::size_t j = 0; j < matrix.columns(); ++j) {
            matrix.at(r, j) = power(Field::gf8, base, static_cast<std::uint32_t>(j));
        }
    }
    return matrix;
}

/// C[r][j] = 1 / ((first_row + r) xor (first_column + j)).
Matrix cauchy(Field field, int k, int m, int first_row, int first_column) {
    Matrix matrix = with_identity(field, k, m);
    for (int r = 0; r < m; ++r) {
        for (int j = 0; j < k; ++j) {
            const auto difference = static_cast<Element>((first_row + r) ^ (first_column + j));
            matrix.at(static_cast<std::size_t>(k + r), static_cast<std::size_t>(j)) =
                inverse(field, difference);
        }
    }
    return matrix;
}

/// The Vandermonde matrix of the powers of 2, times the inverse of its own top square.
std::optional<Matrix> inverted_vandermonde(int k, int m) {
    const auto columns = static_cast<std::size_t>(k);
    Matrix all(Field::gf8, static_cast<std::size_t>(k + m), columns);
    Matrix top(Field::gf8, columns, columns);
    for (std::size_t i = 0; i < all.rows(); ++i) {
        const Element base = power(Field::gf8, 2, static_cast<std::uint32_t>(i + 1));
        for (std::size_t j = 0; j < columns; ++j) {
            all.at(i, j) = power(Field::gf8, base, static_cast<std::uint32_t>(j));
            if (i < columns) top.at(i, j) = all.at(i, j);
        }
    }
    const std::optional<Matrix> top_inverse = inverse(top);
    if (!top_inverse) return std::nullopt;
    return multiply(all, *top_inverse);
}

/// One family of flat XOR codes: for data block j, bit p of masks[j] says that parity p contains
/// it.
struct FlatXorFamily {
    int hd;
    int m;
    int k_min;
    int k_max;
    std::array<std::uint8_t, 20> masks;
};

constexpr std::array flat_xor_families = {
    FlatXorFamily{4, 6, 12, 12, {7, 14, 28, 56, 49, 35, 13, 26, 52, 41, 19, 38}},
    FlatXorFamily{3, 3, 3, 3, {5, 6, 3}},
    FlatXorFamily{3, 5, 5, 10, {5, 9, 10, 18, 20, 3, 12, 17, 6, 24}},
    FlatXorFamily{3, 6, 6, 15, {17, 33, 36, 24, 10, 6, 3, 12, 48, 5, 18, 40, 9, 34, 20}},
    FlatXorFamily{4, 5, 5, 10, {11, 13, 21, 22, 26, 7, 25, 14, 19, 28}},
    FlatXorFamily{4, 6, 6, 20, {25, 41, 49, 14, 22, 38, 7,  56, 11, 52,
                                19, 44, 35, 28, 13, 50, 21, 42, 37, 26}},
};

std::optional<Matrix> flat_xor(int hd, int k, int m) {
    for (const FlatXorFamily& family : flat_xor_families) {
        if (family.hd != hd || family.m != m || k < family.k_min || k > family.k_max) continue;
        Matrix matrix = with_identity(Field::gf2, k, m);
        for (std::size_t j = 0; j < matrix.columns(); ++j) {
            for (std::size_t p = 0; p < static_cast<std::size_t>(m); ++p) {
                matrix.at(matrix.columns() + p, j) = (family.masks[j] >> p) & 1;
            }
        }
        return matrix;
    }
    return std::nullopt;
}

}  // namespace

Field field(Code code) {
    switch (code) {
        case Code::jerasure_rs_vand:
        case Code::liberasurecode_rs_vand:
            return Field::gf16;
        case Code::jerasure_rs_cauchy:
            return Field::gf4;
        case Code::flat_xor_hd_3:
        case Code::flat_xor_hd_4:
            return Field::gf2;
        case Code::isa_l_rs_vand:
        case Code::isa_l_rs_cauchy:
        case Code::isa_l_rs_vand_inv:
            return Field::gf8;
    }
    return Field::gf2;
}

bool any_k_suffice(Code code) {
    return code != Code::flat_xor_hd_3 && code != Code::flat_xor_hd_4 &&
           code != Code::isa_l_rs_vand;
}

std::optional<Matrix> generator(Code code, int k, int m) {
    if (k < 1 || m < 1 || k + m > 255) return std::nullopt;
    switch (code) {
        case Code::jerasure_rs_vand:
            return systematic_vandermonde(k, m, true);
        case Code::liberasurecode_rs_vand:
            return systematic_vandermonde(k, m, false);
        case Code::jerasure_rs_cauchy:
            if (k + m > 16) return std::nullopt;
            return cauchy(Field::gf4, k, m, 0, m);
        case Code::flat_xor_hd_3:
            return flat_xor(3, k, m);
        case Code::flat_xor_hd_4:
            return flat_xor(4, k, m);
        case Code::isa_l_rs_vand:
            return isa_l_vandermonde(k, m);
        case Code::isa_l_rs_cauchy:
            return cauchy(Field::gf8, k, m, k, 0);
        case Code::isa_l_rs_vand_inv:
            return inverted_vandermonde(k, m);
    }
    return std::nullopt;
}

}  // namespace fragmend::gf
