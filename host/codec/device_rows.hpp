// A plan's coefficients in the form in which devices read them.
#pragma once

#include <vector>

#include "kernels/api/rows.hpp"

namespace fragmend::codec {

/// Sources are the plan's used survivors, in their order.
struct DeviceRows {
    kernels::Rows decode;
    std::vector<kernels::Rows> checks;  ///< One a source: see `kernels::Check`.
};

}  // namespace fragmend::codec
