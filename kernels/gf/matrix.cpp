// Matrix product, inversion and spans by elimination.
#include "kernels/gf/matrix.hpp"

#include <algorithm>

namespace fragmend::gf {

Matrix multiply(const Matrix& a, const Matrix& b) {
    Matrix product(a.field(), a.rows(), b.columns());
    for (std::size_t i = 0; i < a.rows(); ++i) {
        for (std::size_t j = 0; j < b.columns(); ++j) {
            Element sum = 0;
            for (std::size_t l = 0; l < a.columns(); ++l) {
                sum ^= multiply(a.field(), a.at(i, l), b.at(l, j));
            }
            product.at(i, j) = sum;
        }
    }
    return product;
}

std::optional<Matrix> inverse(const Matrix& matrix) {
    const std::size_t size = matrix.rows();
    RowSpace space(matrix.field(), size, size);
    for (std::size_t i = 0; i < size; ++i) {
        if (!space.add(matrix.row(i))) return std::nullopt;
    }
    Matrix result(matrix.field(), size, size);
    std::vector<Element> unit(size);
    for (std::size_t i = 0; i < size; ++i) {
        unit[i] = 1;
        std::ranges::copy(space.express(unit).value(), result.row(i).begin());
        unit[i] = 0;
    }
    return result;
}

std::vector<Element> RowSpace::reduce(std::span<const Element> row) const {
    std::vector<Element> vector(columns_ + rows_max_);
    std::ranges::copy(row, vector.begin());
    // Each basis vector is zero at the pivots before its own, so one pass in order is enough.
    for (const BasisVector& basis : basis_) {
        const Element factor = vector[basis.pivot];
        if (factor == 0) continue;
        for (std::size_t i = 0; i < vector.size(); ++i) {
            vector[i] ^= multiply(field_, factor, basis.elements[i]);
        }
    }
    return vector;
}

bool RowSpace::add(std::span<const Element> row) {
    std::vector<Element> vector = reduce(row);
    vector[columns_ + rows_added_] ^= 1;
    ++rows_added_;
    const auto end = vector.begin() + static_cast<std::ptrdiff_t>(columns_);
    const auto first = std::find_if(vector.begin(), end, [](Element e) { return e != 0; });
    if (first == end) return false;
    const Element scale = inverse(field_, *first);
    const auto pivot = static_cast<std::size_t>(first - vector.begin());
    for (Element& element : vector) {
        element = multiply(field_, scale, element);
    }
    basis_.push_back({pivot, std::move(vector)});
    return true;
}

std::optional<std::vector<Element>> RowSpace::express(std::span<const Element> target) const {
    std::vector<Element> vector = reduce(target);
    const auto middle = vector.begin() + static_cast<std::ptrdiff_t>(columns_);
    if (std::any_of(vector.begin(), middle, [](Element e) { return e != 0; })) return std::nullopt;
    return std::vector<Element>(middle, middle + static_cast<std::ptrdiff_t>(rows_added_));
}

}  // namespace fragmend::gf
