// Every loop for every kind of CPU against the reference, at awkward lengths and places.
#include "host/codec/dot_product.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/gf/reference.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

using gf::Element;
using gf::Field;

/// One product of `count` inputs of `bytes` bytes at odd addresses, between guard bytes.
void compare(const DotKernels& kernels, Field field, std::vector<Element> row, std::size_t bytes,
             std::mt19937_64& random) {
    std::vector<std::vector<std::uint8_t>> storage;
    std::vector<const Bytes*> inputs;
    std::vector<Bytes> expected(bytes);
    for (Element coefficient : row) {
        const std::size_t shift = random() % 64;
        std::vector<std::uint8_t>& input = storage.emplace_back(shift + bytes);
        std::ranges::generate(input, [&] { return static_cast<std::uint8_t>(random()); });
        inputs.push_back(input.data() + shift);
        gf::multiply_add(field, coefficient, inputs.back(), expected.data(), bytes);
    }
    constexpr std::size_t guard = 80;
    const std::size_t shift = random() % 64;
    std::vector<Bytes> output(guard + shift + bytes + guard, 0xa5);
    DotProduct(field, row, kernels).run(inputs, output.data() + guard + shift, bytes);
    for (std::size_t i = 0; i < output.size(); ++i) {
        const bool inside = i >= guard + shift && i < guard + shift + bytes;
        ASSERT_EQ(output[i], inside ? expected[i - guard - shift] : 0xa5)
            << kernels.name << ", " << gf::bits(field) << " bits, " << bytes << " bytes, "
            << row.size() << " inputs, at " << i;
    }
}

TEST(DotProduct, EqualsTheReferenceAtEveryLength) {
    std::mt19937_64 random(test_seed());
    for (const DotKernels* kernels : available_kernels()) {
        for (Field field : {Field::gf2, Field::gf4, Field::gf8, Field::gf16}) {
            const std::size_t unit = field == Field::gf4    ? gf::super_block_bytes
                                     : field == Field::gf16 ? 2
                                                            : 1;
            for (std::size_t units = 0; units <= (field == Field::gf4 ? 3u : 700u); ++units) {
                std::vector<Element> row(1 + random() % 6);
                for (Element& element : row) {
                    const auto any = static_cast<Element>(random() & ((1u << gf::bits(field)) - 1));
                    element = field == Field::gf2 ? Element{1} : any;
                }
                if (field == Field::gf4) row.push_back(7);  // An all-zero row is never asked for.
                compare(*kernels, field, row, units * unit, random);
            }
        }
    }
}

TEST(DotProduct, EqualsTheReferenceForEveryCoefficient) {
    std::mt19937_64 random(test_seed());
    for (const DotKernels* kernels : available_kernels()) {
        for (Element c = 1; c < 16; ++c) {
            compare(*kernels, Field::gf4, {c}, gf::super_block_bytes, random);
        }
        for (Element c = 0; c < 256; ++c) {
            compare(*kernels, Field::gf8, {c}, 300, random);
        }
        for (std::uint32_t c = 0; c < 65536; c += 97) {
            compare(*kernels, Field::gf16, {static_cast<Element>(c)}, 200, random);
        }
    }
}

TEST(DotProduct, ManyInputs) {
    std::mt19937_64 random(test_seed());
    for (const DotKernels* kernels : available_kernels()) {
        for (Field field : {Field::gf8, Field::gf16}) {
            std::vector<Element> row(200);
            std::ranges::generate(row, [&] { return static_cast<Element>(random() & 0xff); });
            compare(*kernels, field, row, 1002, random);
        }
        compare(*kernels, Field::gf2, std::vector<Element>(26, 1), 1003, random);
    }
}

TEST(DotProduct, ARowOfOnesIsAnXorInEveryField) {
    std::mt19937_64 random(test_seed());
    for (const DotKernels* kernels : available_kernels()) {
        for (Field field : {Field::gf2, Field::gf4, Field::gf8, Field::gf16}) {
            compare(*kernels, field, {1, 1, 1, 1}, 2 * gf::super_block_bytes, random);
        }
    }
}

TEST(DotKernels, ThePortableOnesAreAlwaysThere) {
    ASSERT_FALSE(available_kernels().empty());
    EXPECT_EQ(available_kernels().front(), &portable_kernels);
    for (const DotKernels* kernels : available_kernels()) {
        std::cout << "kernels: " << kernels->name << '\n';
    }
}

}  // namespace
}  // namespace fragmend::codec
