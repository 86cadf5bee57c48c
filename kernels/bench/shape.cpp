// Choosing survivors.
#include "kernels/bench/shape.hpp"

#include <vector>

#include "kernels/gf/decode_row.hpp"

namespace fragmend::bench {
namespace {

using Indexes = std::vector<std::uint8_t>;

/// The survivors that any row uses.
Indexes used(const gf::Matrix& rows, const Indexes& survivors) {
    Indexes result;
    for (std::size_t j = 0; j < survivors.size(); ++j) {
        bool counts = false;
        for (std::size_t o = 0; o < rows.rows(); ++o) {
            counts = counts || rows.at(o, j) != 0;
        }
        if (counts) result.push_back(survivors[j]);
    }
    return result;
}

}  // namespace

std::span<const Scheme> schemes() {
    static constexpr Scheme all[] = {
        {"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 10, 4},
        {"liberasurecode_rs_vand", gf::Code::liberasurecode_rs_vand, 10, 4},
        {"jerasure_rs_cauchy", gf::Code::jerasure_rs_cauchy, 10, 4},
        {"flat_xor_hd_4", gf::Code::flat_xor_hd_4, 10, 5},
        {"isa_l_rs_vand", gf::Code::isa_l_rs_vand, 10, 4},
        {"jerasure_rs_vand", gf::Code::jerasure_rs_vand, 10, 4},
        {"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 4, 2},
        {"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 15, 4},
    };
    return all;
}

const char* name(kernels::Kernel kernel) {
    switch (kernel) {
        case kernels::Kernel::exclusive_or:
            return "exclusive_or";
        case kernels::Kernel::packets:
            return "packets";
        case kernels::Kernel::gf8:
            return "gf8";
        case kernels::Kernel::gf16:
            return "gf16";
        case kernels::Kernel::reference_gf8:
            return "reference_gf8";
        case kernels::Kernel::reference_gf16:
            return "reference_gf16";
    }
    return "?";
}

kernels::Kernel kernel_of(gf::Code code) {
    switch (gf::field(code)) {
        case gf::Field::gf2:
            return kernels::Kernel::exclusive_or;
        case gf::Field::gf4:
            return kernels::Kernel::packets;
        case gf::Field::gf8:
            return kernels::Kernel::gf8;
        case gf::Field::gf16:
            return kernels::Kernel::gf16;
    }
    return kernels::Kernel::exclusive_or;
}

std::optional<Shape> make_shape(const Scheme& scheme, unsigned lost, std::size_t bytes) {
    const auto generator = gf::generator(scheme.code, scheme.k, scheme.m);
    if (!generator) return std::nullopt;
    Indexes survivors;
    Indexes wanted;
    for (unsigned i = 0; i < static_cast<unsigned>(scheme.k + scheme.m); ++i) {
        (i < lost ? wanted : survivors).push_back(static_cast<std::uint8_t>(i));
    }
    std::optional<gf::Matrix> coefficients;
    const auto k = static_cast<std::size_t>(scheme.k);
    if (survivors.size() >= k) {
        const Indexes last(survivors.end() - scheme.k, survivors.end());
        coefficients = gf::decode_rows(*generator, last, wanted);
        if (coefficients) survivors = last;
    }
    if (!coefficients) {
        coefficients = gf::decode_rows(*generator, survivors, wanted);
        if (!coefficients) return std::nullopt;
        survivors = used(*coefficients, survivors);
        coefficients = gf::decode_rows(*generator, survivors, wanted);
    }
    auto rows = kernels::Rows::make(*coefficients);
    if (!rows || rows->kernel() != kernel_of(scheme.code)) return std::nullopt;
    const std::size_t granule = rows->granule_bytes();
    return Shape{
        std::string(scheme.name) + " " + std::to_string(scheme.k) + "+" + std::to_string(scheme.m),
        lost, (bytes + granule - 1) / granule * granule, std::move(*coefficients),
        std::move(*rows)};
}

}  // namespace fragmend::bench
