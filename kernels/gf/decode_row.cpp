// Solving for decode rows, and choosing survivors.
#include "kernels/gf/decode_row.hpp"

#include <algorithm>
#include <bit>

namespace fragmend::gf {
namespace {

/// Independent of the elimination: a row is right exactly when it gives the wanted generator row.
bool gives(const Matrix& generator, std::span<const std::uint8_t> survivors,
           std::span<const Element> row, std::uint8_t wanted) {
    for (std::size_t column = 0; column < generator.columns(); ++column) {
        Element sum = 0;
        for (std::size_t j = 0; j < survivors.size(); ++j) {
            sum ^= multiply(generator.field(), row[j], generator.at(survivors[j], column));
        }
        if (sum != generator.at(wanted, column)) return false;
    }
    return true;
}

/// A set of fragments as bits; the flat XOR codes have at most 26.
using FragmentSet = std::uint32_t;

constexpr FragmentSet bit(std::size_t index) {
    return FragmentSet{1} << index;
}

/// All XOR relations of a flat XOR code are sums of its m parity equations, so with m <= 6 the
/// smallest one that fits is found by trying all of them.
std::optional<std::vector<std::uint8_t>> choose_by_equations(
    const Matrix& generator, std::span<const std::uint8_t> available, std::uint8_t wanted) {
    const std::size_t k = generator.columns();
    const std::size_t m = generator.rows() - k;
    FragmentSet present = 0;
    for (std::uint8_t index : available) {
        present |= bit(index);
    }
    std::optional<std::vector<std::uint8_t>> best;
    for (std::size_t sum = 1; sum < (std::size_t{1} << m); ++sum) {
        FragmentSet equation = 0;
        for (std::size_t p = 0; p < m; ++p) {
            if (!((sum >> p) & 1u)) continue;
            equation ^= bit(k + p);
            for (std::size_t j = 0; j < k; ++j) {
                if (generator.at(k + p, j) != 0) equation ^= bit(j);
            }
        }
        if (!(equation & bit(wanted)) || (equation & ~(present | bit(wanted)))) continue;
        const auto size = static_cast<std::size_t>(std::popcount(equation)) - 1;
        if (best && best->size() <= size) continue;
        best.emplace();
        for (std::uint8_t index : available) {
            if (equation & bit(index)) best->push_back(index);
        }
    }
    return best;
}

}  // namespace

std::optional<std::vector<Element>> decode_row(const Matrix& generator,
                                               std::span<const std::uint8_t> survivors,
                                               std::uint8_t wanted) {
    RowSpace space(generator.field(), generator.columns(), survivors.size());
    for (std::uint8_t index : survivors) {
        space.add(generator.row(index));
    }
    std::optional<std::vector<Element>> row = space.express(generator.row(wanted));
    if (!row || !gives(generator, survivors, *row, wanted)) return std::nullopt;
    return row;
}

std::optional<Matrix> decode_rows(const Matrix& generator, std::span<const std::uint8_t> survivors,
                                  std::span<const std::uint8_t> wanted) {
    Matrix rows(generator.field(), wanted.size(), survivors.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto row = decode_row(generator, survivors, wanted[i]);
        if (!row) return std::nullopt;
        std::ranges::copy(*row, rows.row(i).begin());
    }
    return rows;
}

std::vector<Element> check_row(Field field, std::span<const Element> row, std::size_t position) {
    const Element scale = inverse(field, row[position]);
    std::vector<Element> check(row.size());
    for (std::size_t j = 0; j < row.size(); ++j) {
        check[j] = j == position ? scale : multiply(field, scale, row[j]);
    }
    return check;
}

std::optional<std::vector<std::uint8_t>> choose_survivors(Code code, const Matrix& generator,
                                                          std::span<const std::uint8_t> available,
                                                          std::uint8_t wanted) {
    std::vector<std::uint8_t> usable;
    for (std::uint8_t index : available) {
        const bool known = std::ranges::find(usable, index) != usable.end();
        if (index < generator.rows() && index != wanted && !known) usable.push_back(index);
    }
    if (generator.field() == Field::gf2) return choose_by_equations(generator, usable, wanted);

    const std::size_t k = generator.columns();
    if (any_k_suffice(code)) {
        if (usable.size() < k) return std::nullopt;
        usable.resize(k);
        return usable;
    }
    RowSpace space(generator.field(), k, usable.size());
    for (std::size_t count = 1; count <= usable.size(); ++count) {
        if (!space.add(generator.row(usable[count - 1]))) continue;
        const auto row = space.express(generator.row(wanted));
        if (!row) continue;
        std::vector<std::uint8_t> chosen;
        for (std::size_t j = 0; j < row->size(); ++j) {
            if ((*row)[j] != 0) chosen.push_back(usable[j]);
        }
        return chosen;
    }
    return std::nullopt;
}

}  // namespace fragmend::gf
