// Small matrices over one of the fields, and what a set of rows spans.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gf/field.hpp"

namespace fragmend::gf {

/// A dense matrix of field elements, zero at first. A value; rows and columns are 0-based.
class Matrix {
  public:
    Matrix(Field field, std::size_t rows, std::size_t columns)
        : field_(field), rows_(rows), columns_(columns), elements_(rows * columns) {}

    Field field() const { return field_; }
    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    Element& at(std::size_t row, std::size_t column) { return elements_[row * columns_ + column]; }
    Element at(std::size_t row, std::size_t column) const {
        return elements_[row * columns_ + column];
    }
    std::span<Element> row(std::size_t index) {
        return std::span(elements_).subspan(index * columns_, columns_);
    }
    std::span<const Element> row(std::size_t index) const {
        return std::span(elements_).subspan(index * columns_, columns_);
    }
    bool operator==(const Matrix&) const = default;

  private:
    Field field_;
    std::size_t rows_;
    std::size_t columns_;
    std::vector<Element> elements_;
};

/// a * b; a.columns() == b.rows(), same field.
Matrix multiply(const Matrix& a, const Matrix& b);

/// The inverse of a square matrix, nothing when it is singular.
std::optional<Matrix> inverse(const Matrix& matrix);

/// The space spanned by rows added one by one, which remembers how each vector in it is combined
/// from them. Adding and expressing take O(columns^2) multiplications.
class RowSpace {
  public:
    /// At most `rows_max` rows of `columns` elements will be added.
    RowSpace(Field field, std::size_t columns, std::size_t rows_max)
        : field_(field), columns_(columns), rows_max_(rows_max) {}

    /// Adds the next row. False when the rows before already span it; it then is never used.
    bool add(std::span<const Element> row);

    /// Coefficients c, one for each row added so far, with target = sum of c[j] * row j; nothing
    /// when the target lies outside.
    std::optional<std::vector<Element>> express(std::span<const Element> target) const;

    std::size_t dimension() const { return basis_.size(); }

  private:
    /// A vector with element `pivot` equal to 1, followed by its coefficients over the added rows.
    struct BasisVector {
        std::size_t pivot;
        std::vector<Element> elements;
    };
    std::vector<Element> reduce(std::span<const Element> row) const;

    Field field_;
    std::size_t columns_;
    std::size_t rows_max_;
    std::size_t rows_added_ = 0;
    std::vector<BasisVector> basis_;
};

}  // namespace fragmend::gf
