// What an engine is sized for; everything it holds is made from these at start.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fragmend::kernels {

/// Sources of one item. Source: liberasurecode EC_MAX_FRAGMENTS is 32.
inline constexpr unsigned sources_max = 32;
/// Outputs of one item.
inline constexpr unsigned outputs_max = 4;
/// Where device memory holds a source's payload, and where a pinned one should lie.
inline constexpr std::size_t payload_alignment = 16;

struct Limits {
    std::uint32_t batches_in_flight = 3;
    std::uint32_t batch_items_max = 4096;
    /// Sources of all items of a batch, and their outputs.
    std::uint32_t batch_sources_max = 4096 * 12;
    std::uint32_t batch_outputs_max = 4096 * 2;
    /// Distinct `Rows` of a batch, checks included.
    std::uint32_t batch_rows_max = 1024;
    /// Device memory for the sources and for the outputs of one batch. Each fragment takes its
    /// bytes rounded up to 16, twice.
    std::size_t batch_input_bytes_max = std::size_t{64} << 20;
    std::size_t batch_output_bytes_max = std::size_t{16} << 20;
};

}  // namespace fragmend::kernels
