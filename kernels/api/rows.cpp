// Tables out of coefficients.
#include "kernels/api/rows.hpp"

#include <algorithm>
#include <bit>

#include "kernels/api/limits.hpp"
#include "kernels/gf/bit_matrix.hpp"
#include "kernels/gf/reference.hpp"
#include "kernels/gf/word_steps.hpp"

namespace fragmend::kernels {
namespace {

using gf::Element;
using gf::Field;
using Words = std::vector<std::uint32_t>;

static_assert(sizeof(gf::TripleTables) == 8 * sizeof(std::uint32_t));
static_assert(table_words_max == (sources_max + 2) / 3 * outputs_max * 2 * 8);

void append(Words& table, const gf::TripleTables& triple) {
    for (const gf::ByteTable& piece : triple.pieces) {
        table.insert(table.end(), {piece.low, piece.high});
    }
    table.insert(table.end(), {triple.top_bits.low, triple.top_bits.high});
}

Words triple_tables(const gf::Matrix& rows, unsigned element_bytes) {
    Words table;
    for (std::size_t first = 0; first < rows.columns(); first += 3) {
        for (std::size_t output = 0; output < rows.rows(); ++output) {
            Element three[3] = {};
            for (std::size_t i = 0; i < 3 && first + i < rows.columns(); ++i) {
                three[i] = rows.at(output, first + i);
            }
            for (unsigned byte = 0; byte < element_bytes; ++byte) {
                append(table, gf::make_triple_tables(rows.field(), three, byte));
            }
        }
    }
    return table;
}

std::uint32_t single_word(Kernel kernel, Element coefficient) {
    if (kernel == Kernel::exclusive_or) return coefficient != 0 ? ~0u : 0u;
    if (kernel == Kernel::packets)
        return std::bit_cast<std::uint32_t>(gf::bit_matrix4(coefficient).rows);
    return coefficient;
}

Words single_words(Kernel kernel, const gf::Matrix& rows) {
    Words table;
    for (std::size_t source = 0; source < rows.columns(); ++source) {
        for (std::size_t output = 0; output < rows.rows(); ++output) {
            table.push_back(single_word(kernel, rows.at(output, source)));
        }
    }
    return table;
}

Kernel kernel_for(const gf::Matrix& rows, Technique technique) {
    bool plain = true;
    for (std::size_t output = 0; output < rows.rows(); ++output) {
        plain = plain && std::ranges::all_of(rows.row(output), [](Element e) { return e <= 1; });
    }
    const bool reference = technique == Technique::reference;
    switch (rows.field()) {
        case Field::gf2:
            return Kernel::exclusive_or;
        case Field::gf4:
            return plain ? Kernel::exclusive_or : Kernel::packets;
        case Field::gf8:
            if (reference) return Kernel::reference_gf8;
            return plain ? Kernel::exclusive_or : Kernel::gf8;
        case Field::gf16:
            if (reference) return Kernel::reference_gf16;
            return plain ? Kernel::exclusive_or : Kernel::gf16;
    }
    return Kernel::exclusive_or;
}

}  // namespace

std::optional<Rows> Rows::make(const gf::Matrix& coefficients, Technique technique) {
    const bool fits = coefficients.rows() >= 1 && coefficients.rows() <= outputs_max &&
                      coefficients.columns() >= 1 && coefficients.columns() <= sources_max;
    if (!fits) return std::nullopt;
    return Rows(kernel_for(coefficients, technique), coefficients);
}

Rows::Rows(Kernel kernel, const gf::Matrix& coefficients)
    : kernel_(kernel),
      sources_(static_cast<unsigned>(coefficients.columns())),
      outputs_(static_cast<unsigned>(coefficients.rows())) {
    if (kernel == Kernel::gf8) {
        table_ = triple_tables(coefficients, 1);
    } else if (kernel == Kernel::gf16) {
        table_ = triple_tables(coefficients, 2);
    } else {
        table_ = single_words(kernel, coefficients);
    }
}

std::size_t Rows::granule_bytes() const {
    switch (kernel_) {
        case Kernel::packets:
            return gf::super_block_bytes;
        case Kernel::gf16:
        case Kernel::reference_gf16:
            return 2;
        default:
            return 1;
    }
}

}  // namespace fragmend::kernels
