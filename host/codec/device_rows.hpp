// A plan's coefficients in the form in which devices read them.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/api/rows.hpp"

namespace fragmend::codec {

struct DeviceRows {
    /// A survivor's row out of the other sources and one output: see `kernels::Check`.
    struct Check {
        kernels::Rows row;
        std::uint8_t source;  ///< The survivor's place in `sources`.
    };
    std::vector<std::uint8_t> sources;  ///< Positions of the survivors that any output depends on.
    kernels::Rows decode;               ///< A row an output.
    std::vector<std::vector<Check>> checks;  ///< One an output, as the plan's `used` of that.
};

}  // namespace fragmend::codec
