// The slow, obvious way to compute with whole fragments; everything faster is tested against it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/gf/field.hpp"

namespace fragmend::gf {

/// Jerasure lays a GF(2^4) block out in super-blocks of 4 packets: bit l of an element is in packet
/// l.
inline constexpr std::size_t packet_bytes = 1024;
inline constexpr std::size_t super_block_bytes = 4 * packet_bytes;

/// output ^= factor * input over `bytes` bytes, in the field's layout:
///   gf2 and gf8: bytes;  gf16: 16-bit words in host order, `bytes` even;
///   gf4: bit-sliced in super-blocks, `bytes` a multiple of super_block_bytes.
void multiply_add(Field field, Element factor, const std::uint8_t* input, std::uint8_t* output,
                  std::size_t bytes);

}  // namespace fragmend::gf
