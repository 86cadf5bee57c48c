// Filling and comparing whole memories with Thrust: on a device, or one after another on a host.
#pragma once

#include <thrust/fill.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/mismatch.h>
#include <thrust/tabulate.h>

#include "kernels/bench/pattern.hpp"

namespace fragmend::bench {

/// Fills the sources and poisons the outputs of one slab; `slab` and the stride are multiples of 8.
template <class Policy>
void write_pattern(const Policy& policy, std::uint8_t* slab, const Expectation& expected) {
    const std::uint64_t source_words = expected.items * expected.sources * expected.stride / 8;
    auto* words = reinterpret_cast<std::uint64_t*>(slab);
    thrust::tabulate(policy, words, words + source_words, expected.pattern);
    thrust::fill_n(policy, words + source_words, expected.size() / 8, 0x0101010101010101u * poison);
}

/// The first byte of the outputs that is not as expected; their size when all are.
template <class Policy>
std::uint64_t first_difference(const Policy& policy, const std::uint8_t* slab,
                               const Expectation& expected) {
    const std::uint8_t* outputs = slab + expected.items * expected.sources * expected.stride;
    const auto should =
        thrust::make_transform_iterator(thrust::counting_iterator<std::uint64_t>(0), expected);
    return static_cast<std::uint64_t>(
        thrust::mismatch(policy, outputs, outputs + expected.size(), should).first - outputs);
}

}  // namespace fragmend::bench
