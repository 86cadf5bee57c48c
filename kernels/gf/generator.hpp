// The generator matrices of the erasure codes that Swift offers.
#pragma once

#include <optional>

#include "kernels/gf/matrix.hpp"

namespace fragmend::gf {

/// The codes by their Swift names. `flat_xor_hd` is flat_xor_hd_3.
enum class Code : std::uint8_t {
    jerasure_rs_vand,
    jerasure_rs_cauchy,
    flat_xor_hd_3,
    flat_xor_hd_4,
    isa_l_rs_vand,
    liberasurecode_rs_vand,
    isa_l_rs_cauchy,
    isa_l_rs_vand_inv,
};

Field field(Code code);

/// Whether every k of the k + m fragments determine all others. Not so for the flat XOR codes nor
/// for isa_l_rs_vand, whose matrix is singular for some losses.
bool any_k_suffice(Code code);

/// The (k + m) x k matrix G of a code: fragment i = sum over j of G[i][j] * data fragment j, with
/// the identity on top. Nothing when the code does not exist for this k and m. Source:
/// liberasurecode's back ends, Jerasure reed_sol.c and cauchy.c, ISA-L ec_base.c, and
///         liberasurecode xor_hd_code_defs.h, restated.
std::optional<Matrix> generator(Code code, int k, int m);

}  // namespace fragmend::gf
