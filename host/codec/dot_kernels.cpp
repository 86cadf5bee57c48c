// Tables of coefficients, the portable loops, and the choice for this CPU.
#include "host/codec/dot_kernels.hpp"

#include <cstring>
#include <vector>

#include "host/codec/dot_kernels_neon.hpp"
#include "host/codec/dot_kernels_x86.hpp"
#include "kernels/gf/reference.hpp"

namespace fragmend::codec {
namespace {

using gf::Element;
using gf::Field;

/// coefficient * 2^x for each bit x of the field: multiplication is linear in them.
using Columns = std::array<Element, 16>;

Columns columns_of(Field field, Element coefficient) {
    Columns columns{};
    for (unsigned x = 0; x < gf::bits(field); ++x) {
        columns[x] = coefficient;
        coefficient = gf::twice(field, coefficient);
    }
    return columns;
}

/// coefficient * (v << shift) for the 16 nibbles v.
std::array<Element, 16> nibble_products(const Columns& columns, unsigned shift) {
    std::array<Element, 16> products{};
    for (unsigned x = 0; x < 4; ++x) {
        const unsigned half = 1u << x;
        for (unsigned v = 0; v < half; ++v) {
            products[half + v] = products[v] ^ columns[shift + x];
        }
    }
    return products;
}

/// Row i of the bit matrix is byte 7 - i. Its bit x says whether bit x of the input byte (which is
/// bit x + in_shift of the element) adds to bit i of the output byte (bit i + out_shift).
std::uint64_t affine_matrix(const Columns& columns, unsigned in_shift, unsigned out_shift) {
    std::uint64_t matrix = 0;
    for (unsigned x = 0; x < 8; ++x) {
        const auto column = static_cast<unsigned>(columns[x + in_shift]) >> out_shift;
        for (unsigned i = 0; i < 8; ++i) {
            matrix |= static_cast<std::uint64_t>((column >> i) & 1u) << (8 * (7 - i) + x);
        }
    }
    return matrix;
}

void portable_gf2(const Bytes* const* inputs, std::size_t count, Bytes* output, std::size_t bytes) {
    std::size_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        std::uint64_t sum = 0;
        for (std::size_t j = 0; j < count; ++j) {
            std::uint64_t word = 0;
            std::memcpy(&word, inputs[j] + i, 8);
            sum ^= word;
        }
        std::memcpy(output + i, &sum, 8);
    }
    for (; i < bytes; ++i) {
        Bytes sum = 0;
        for (std::size_t j = 0; j < count; ++j) {
            sum ^= inputs[j][i];
        }
        output[i] = sum;
    }
}

void portable_gf4(const gf::BitMatrix4* tables, const Bytes* const* inputs, std::size_t count,
                  Bytes* output, std::size_t bytes) {
    // Each output packet is a plain XOR of input packets, at most four of each input.
    thread_local std::vector<const Bytes*> packets;
    for (std::size_t block = 0; block < bytes; block += gf::super_block_bytes) {
        for (std::size_t l = 0; l < 4; ++l) {
            packets.clear();
            for (std::size_t j = 0; j < count; ++j) {
                for (std::size_t x = 0; x < 4; ++x) {
                    if (!((tables[j].rows[l] >> x) & 1u)) continue;
                    packets.push_back(inputs[j] + block + x * gf::packet_bytes);
                }
            }
            portable_gf2(packets.data(), packets.size(), output + block + l * gf::packet_bytes,
                         gf::packet_bytes);
        }
    }
}

void portable_gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count,
                  Bytes* output, std::size_t bytes) {
    std::memset(output, 0, bytes);
    for (std::size_t j = 0; j < count; ++j) {
        const Gf8Table& table = tables[j];
        for (std::size_t i = 0; i < bytes; ++i) {
            const Bytes in = inputs[j][i];
            output[i] = static_cast<Bytes>(output[i] ^ table.low[in & 15u] ^ table.high[in >> 4]);
        }
    }
}

void portable_gf16(const Gf16Table* tables, const Bytes* const* inputs, std::size_t count,
                   Bytes* output, std::size_t bytes) {
    std::memset(output, 0, bytes);
    for (std::size_t j = 0; j < count; ++j) {
        const Gf16Table& table = tables[j];
        for (std::size_t i = 0; i + 1 < bytes; i += 2) {
            std::uint16_t word = 0;
            std::uint16_t sum = 0;
            std::memcpy(&word, inputs[j] + i, 2);
            std::memcpy(&sum, output + i, 2);
            unsigned low = 0;
            unsigned high = 0;
            for (std::size_t n = 0; n < 4; ++n) {
                const std::size_t nibble = (word >> (4 * n)) & 15u;
                low ^= table.low[n][nibble];
                high ^= table.high[n][nibble];
            }
            sum = static_cast<std::uint16_t>(sum ^ low ^ (high << 8));
            std::memcpy(output + i, &sum, 2);
        }
    }
}

}  // namespace

Gf8Table make_gf8_table(Element coefficient) {
    const Columns columns = columns_of(Field::gf8, coefficient);
    Gf8Table table;
    for (unsigned half = 0; half < 2; ++half) {
        const std::array<Element, 16> products = nibble_products(columns, 4 * half);
        std::array<std::uint8_t, 16>& bytes = half == 0 ? table.low : table.high;
        for (unsigned v = 0; v < 16; ++v) {
            bytes[v] = static_cast<std::uint8_t>(products[v]);
        }
    }
    table.affine = affine_matrix(columns, 0, 0);
    return table;
}

Gf16Table make_gf16_table(Element coefficient) {
    const Columns columns = columns_of(Field::gf16, coefficient);
    Gf16Table table;
    for (unsigned n = 0; n < 4; ++n) {
        const std::array<Element, 16> products = nibble_products(columns, 4 * n);
        for (unsigned v = 0; v < 16; ++v) {
            table.low[n][v] = static_cast<std::uint8_t>(products[v] & 0xffu);
            table.high[n][v] = static_cast<std::uint8_t>(products[v] >> 8);
        }
    }
    table.low_to_low = affine_matrix(columns, 0, 0);
    table.low_to_high = affine_matrix(columns, 0, 8);
    table.high_to_low = affine_matrix(columns, 8, 0);
    table.high_to_high = affine_matrix(columns, 8, 8);
    return table;
}

const DotKernels portable_kernels = {"portable", portable_gf2, portable_gf4, portable_gf8,
                                     portable_gf16};

std::span<const DotKernels* const> available_kernels() {
    static const std::vector<const DotKernels*> kernels = [] {
        std::vector<const DotKernels*> found{&portable_kernels};
        if (const DotKernels* neon = neon_kernels()) found.push_back(neon);
        if (const DotKernels* ssse3 = ssse3_kernels()) found.push_back(ssse3);
        if (const DotKernels* avx2 = avx2_kernels()) found.push_back(avx2);
        if (const DotKernels* gfni = gfni_kernels()) found.push_back(gfni);
        return found;
    }();
    return kernels;
}

}  // namespace fragmend::codec
