// Which rows the bench computes: a scheme, what it lost, and survivors that need its own kernel.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "kernels/api/rows.hpp"
#include "kernels/gf/generator.hpp"

namespace fragmend::bench {

struct Scheme {
    const char* name;
    gf::Code code;
    int k;
    int m;
};

/// The first `lost` fragments of a segment out of others.
struct Shape {
    std::string name;  ///< As `isa_l_rs_cauchy 10+4`.
    unsigned lost;
    std::size_t bytes;  ///< Of a payload: what was wished for, or the next that suits the field.
    gf::Matrix coefficients;
    kernels::Rows rows;
};

std::span<const Scheme> schemes();

const char* name(kernels::Kernel kernel);

/// The kernel that a scheme's field is about; some survivors of some losses need nothing but XOR.
kernels::Kernel kernel_of(gf::Code code);

/// Nothing when what is left does not determine what is lost, or needs another kernel than the
/// scheme's. Survivors are the last ones, since the first parity is the sum of all data with some
/// codes.
std::optional<Shape> make_shape(const Scheme& scheme, unsigned lost, std::size_t bytes);

}  // namespace fragmend::bench
