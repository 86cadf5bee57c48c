// The batches that the bench measures: equal items, side by side in one slab of memory.
#pragma once

#include <vector>

#include "kernels/api/batch.hpp"
#include "kernels/api/limits.hpp"
#include "kernels/bench/pattern.hpp"
#include "kernels/gf/matrix.hpp"

namespace fragmend::bench {

/// Items and all that they point to but the slab.
struct Work {
    std::vector<const std::uint8_t*> sources;
    std::vector<std::uint8_t*> outputs;
    std::vector<kernels::Md5State> digests;
    std::vector<kernels::Md5State*> digest_pointers;
    std::vector<kernels::Item> items;
    Expectation expected;
};

/// As many items of `bytes` bytes as `limits` and `source_bytes_max` take, sources and outputs each
/// at a multiple of 16. `rows` were made of `coefficients`; `seed` is the pattern's. `digested`:
/// with an MD5 of each source and output.
Work lay_out(const kernels::Rows& rows, const gf::Matrix& coefficients,
             const kernels::Limits& limits, std::size_t source_bytes_max, std::uint8_t* slab,
             std::size_t bytes, std::uint64_t seed, bool digested);

}  // namespace fragmend::bench
