// One decode row made ready for the CPU.
#pragma once

#include <span>
#include <vector>

#include "host/codec/dot_kernels.hpp"

namespace fragmend::codec {

/// Output = sum of coefficient[j] * input[j] with its tables at hand. Immutable after construction,
/// so any number of threads may run it. A row of ones runs as a plain XOR, whatever its field: so
/// does one lost data fragment of the Vandermonde codes while parity 0 survives.
class DotProduct {
  public:
    /// Coefficients in `field`, at least one. `kernels` outlives the object.
    DotProduct(gf::Field field, std::span<const gf::Element> coefficients,
               const DotKernels& kernels);

    /// Writes output[0, bytes). `inputs` has one pointer a coefficient, each to `bytes` bytes in
    /// the field's layout (gf4: whole super-blocks; gf16: whole words); none overlaps the output.
    void run(std::span<const Bytes* const> inputs, Bytes* output, std::size_t bytes) const;

  private:
    const DotKernels* kernels_;
    std::size_t count_;
    gf::Field field_;
    // One of them has an element a coefficient; none has when all coefficients are 1.
    std::vector<gf::BitMatrix4> gf4_;
    std::vector<Gf8Table> gf8_;
    std::vector<Gf16Table> gf16_;
};

}  // namespace fragmend::codec
