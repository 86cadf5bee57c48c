// Decode rows with their tables.
#include "host/codec/dot_product.hpp"

#include <algorithm>

#include "host/base/error.hpp"

namespace fragmend::codec {

DotProduct::DotProduct(gf::Field field, std::span<const gf::Element> coefficients,
                       const DotKernels& kernels)
    : kernels_(&kernels), count_(coefficients.size()), field_(field) {
    FRAGMEND_ASSERT(count_ > 0);
    if (std::ranges::all_of(coefficients, [](gf::Element c) { return c == 1; })) {
        field_ = gf::Field::gf2;
    }
    for (gf::Element coefficient : coefficients) {
        switch (field_) {
            case gf::Field::gf2:
                FRAGMEND_ASSERT(coefficient == 1);
                break;
            case gf::Field::gf4:
                gf4_.push_back(gf::bit_matrix4(coefficient));
                break;
            case gf::Field::gf8:
                gf8_.push_back(make_gf8_table(coefficient));
                break;
            case gf::Field::gf16:
                gf16_.push_back(make_gf16_table(coefficient));
                break;
        }
    }
}

void DotProduct::run(std::span<const Bytes* const> inputs, Bytes* output, std::size_t bytes) const {
    FRAGMEND_ASSERT(inputs.size() == count_);
    const Bytes* const* in = inputs.data();
    switch (field_) {
        case gf::Field::gf2:
            return kernels_->gf2(in, count_, output, bytes);
        case gf::Field::gf4:
            return kernels_->gf4(gf4_.data(), in, count_, output, bytes);
        case gf::Field::gf8:
            return kernels_->gf8(gf8_.data(), in, count_, output, bytes);
        case gf::Field::gf16:
            return kernels_->gf16(gf16_.data(), in, count_, output, bytes);
    }
}

}  // namespace fragmend::codec
