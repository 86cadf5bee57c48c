// From a generator matrix to the coefficients that rebuild a fragment, and to the survivors to
// read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gf/generator.hpp"

namespace fragmend::gf {

/// Coefficients c with fragment `wanted` = sum over j of c[j] * fragment survivors[j], nothing when
/// the survivors do not determine it. Indexes are rows of the generator, distinct, wanted not among
/// them. The result is checked against the generator before it is returned.
std::optional<std::vector<Element>> decode_row(const Matrix& generator,
                                               std::span<const std::uint8_t> survivors,
                                               std::uint8_t wanted);

/// One decode row for each of several wanted fragments, in their order; nothing when one is
/// missing.
std::optional<Matrix> decode_rows(const Matrix& generator, std::span<const std::uint8_t> survivors,
                                  std::span<const std::uint8_t> wanted);

/// The row by which survivor `position` follows from the other survivors and the rebuilt fragment:
/// the decode row's coefficients with the rebuilt fragment in place of that survivor. Needs a row
/// whose element at `position` is not zero.
std::vector<Element> check_row(Field field, std::span<const Element> row, std::size_t position);

/// The survivors to read for `wanted` out of `available` (most preferred first): the first ones
/// that determine it, without those that would not be used. For a flat XOR code the smallest set
/// there is. Nothing when all of them together do not determine it.
std::optional<std::vector<std::uint8_t>> choose_survivors(Code code, const Matrix& generator,
                                                          std::span<const std::uint8_t> available,
                                                          std::uint8_t wanted);

}  // namespace fragmend::gf
