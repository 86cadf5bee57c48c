// Multiply and add over whole fragments, straight from the definitions.
#include "kernels/gf/reference.hpp"

#include <cstring>

#include "kernels/gf/bit_matrix.hpp"

namespace fragmend::gf {
namespace {

void multiply_add_packets(Element factor, const std::uint8_t* input, std::uint8_t* output,
                          std::size_t bytes) {
    const BitMatrix4 matrix = bit_matrix4(factor);
    for (std::size_t block = 0; block < bytes; block += super_block_bytes) {
        for (std::size_t i = 0; i < packet_bytes; ++i) {
            for (std::size_t l = 0; l < 4; ++l) {
                for (std::size_t x = 0; x < 4; ++x) {
                    if (!((matrix.rows[l] >> x) & 1u)) continue;
                    output[block + l * packet_bytes + i] ^= input[block + x * packet_bytes + i];
                }
            }
        }
    }
}

}  // namespace

void multiply_add(Field field, Element factor, const std::uint8_t* input, std::uint8_t* output,
                  std::size_t bytes) {
    switch (field) {
        case Field::gf2:
            for (std::size_t i = 0; i < bytes && factor != 0; ++i) {
                output[i] ^= input[i];
            }
            return;
        case Field::gf4:
            return multiply_add_packets(factor, input, output, bytes);
        case Field::gf8:
            for (std::size_t i = 0; i < bytes; ++i) {
                output[i] ^= static_cast<std::uint8_t>(multiply(field, factor, input[i]));
            }
            return;
        case Field::gf16:
            for (std::size_t i = 0; i + 1 < bytes; i += 2) {
                std::uint16_t in = 0;
                std::uint16_t out = 0;
                std::memcpy(&in, input + i, 2);
                std::memcpy(&out, output + i, 2);
                out ^= multiply(field, factor, in);
                std::memcpy(output + i, &out, 2);
            }
            return;
    }
}

}  // namespace fragmend::gf
