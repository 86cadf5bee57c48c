// gf-complete's arithmetic for our fields: the tests' authority, and a rival of the bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "kernels/gf/field.hpp"

extern "C" {
#include <gf_complete.h>
}

namespace fragmend {

/// One field as gf-complete implements it, its polynomial left to gf-complete. Not for several
/// threads. Source: gf_complete.h of Plank et al.
class GfComplete {
  public:
    /// `gf4`, `gf8` or `gf16`. `multiplication` is a gf_mult_type_t and `region` a sum of
    /// GF_REGION_ bits. Errors: an exception for a combination that gf-complete does not have.
    explicit GfComplete(gf::Field field, int multiplication = GF_MULT_DEFAULT,
                        int region = GF_REGION_DEFAULT) {
        const int made = gf_init_hard(&gf_, static_cast<int>(gf::bits(field)), multiplication,
                                      region, GF_DIVIDE_DEFAULT, 0, 0, 0, nullptr, nullptr);
        if (made == 0) throw std::invalid_argument("gf-complete does not offer this");
    }
    ~GfComplete() { gf_free(&gf_, 1); }
    GfComplete(const GfComplete&) = delete;
    GfComplete& operator=(const GfComplete&) = delete;

    gf::Element multiply(gf::Element a, gf::Element b) {
        return static_cast<gf::Element>(gf_.multiply.w32(&gf_, a, b));
    }
    /// `b` not zero.
    gf::Element divide(gf::Element a, gf::Element b) {
        return static_cast<gf::Element>(gf_.divide.w32(&gf_, a, b));
    }
    /// `a` not zero.
    gf::Element inverse(gf::Element a) {
        return static_cast<gf::Element>(gf_.inverse.w32(&gf_, a));
    }
    /// 2 to the `exponent`, from the table of a GF(2^16) with GF_MULT_LOG_TABLE.
    gf::Element antilogarithm16(std::uint32_t exponent) {
        return gf_w16_get_mult_alog_table(&gf_)[exponent];
    }
    /// output = factor * input, or output ^= it when `add`. Both must lie equally far beyond a
    /// multiple of 16, and `bytes` be whole elements (with GF_REGION_CAUCHY, one super-block):
    /// otherwise gf-complete ends the process.
    void multiply_region(gf::Element factor, const std::uint8_t* input, std::uint8_t* output,
                         std::size_t bytes, bool add) {
        gf_.multiply_region.w32(&gf_, const_cast<std::uint8_t*>(input), output, factor,
                                static_cast<int>(bytes), add ? 1 : 0);
    }

  private:
    gf_t gf_{};
};

}  // namespace fragmend
