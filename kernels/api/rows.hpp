// The coefficients of an erasure pattern in the form in which kernels read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gf/matrix.hpp"

namespace fragmend::kernels {

/// What is computed for a column of bytes. The two `reference` ones are Horner's rule over the
/// coefficients' bits: no tables, simple to prove, for the self-test.
enum class Kernel : std::uint8_t {
    exclusive_or,
    packets,
    gf8,
    gf16,
    reference_gf8,
    reference_gf16,
};

enum class Technique : std::uint8_t { permutation, reference };

/// One to four rows of coefficients over up to 32 sources, with their tables. Immutable; made once
/// for an erasure pattern and shared by all its items. `table()` in 32-bit words, source j, row o
/// of M, triple t = sources 3t .. 3t + 2:
///   exclusive_or   [j * M + o]      all ones or zero
///   packets        [j * M + o]      the four rows of the bit matrix, row 0 in the low byte
///   gf8            [(t * M + o) * 8]             gf::TripleTables
///   gf16           [((t * M + o) * 2 + b) * 8]   the same, b = 0 for low bytes, 1 for high
///   reference_*    [j * M + o]      the coefficient
class Rows {
  public:
    /// `coefficients` as `gf::decode_rows` gives them: a row an output, a column a source. Rows of
    /// nothing but 0 and 1 become exclusive_or in any field. Nothing when there are too many rows
    /// or columns, or none.
    static std::optional<Rows> make(const gf::Matrix& coefficients,
                                    Technique technique = Technique::permutation);

    Kernel kernel() const { return kernel_; }
    unsigned sources() const { return sources_; }
    unsigned outputs() const { return outputs_; }
    std::span<const std::uint32_t> table() const { return table_; }
    /// Payloads must be a multiple of this many bytes: 4096, 2 or 1.
    std::size_t granule_bytes() const;

  private:
    Rows(Kernel kernel, const gf::Matrix& coefficients);

    Kernel kernel_;
    unsigned sources_;
    unsigned outputs_;
    std::vector<std::uint32_t> table_;
};

/// The most words that any `Rows` needs.
inline constexpr std::size_t table_words_max = 11 * 4 * 2 * 8;

}  // namespace fragmend::kernels
