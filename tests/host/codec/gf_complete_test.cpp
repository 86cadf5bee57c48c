// Our field arithmetic and every dot kernel against gf-complete, which shares no code with them.
#include "bench/codec/gf_complete.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "host/codec/dot_product.hpp"
#include "kernels/gf/decode_row.hpp"
#include "kernels/gf/reference.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

using gf::Element;
using gf::Field;

constexpr Field fields[] = {Field::gf4, Field::gf8, Field::gf16};

constexpr std::uint32_t size_of(Field field) {
    return 1u << gf::bits(field);
}

Element element(std::uint32_t value) {
    return static_cast<Element>(value);
}

bool full_run() {
    const char* text = std::getenv("FRAGMEND_FULL");
    return text != nullptr && std::string_view(text) == "1";
}

/// For GF(2^16) all powers of two, which determine every product, and some more; else all.
std::vector<Element> factors_of(Field field, std::mt19937_64& random) {
    std::vector<Element> factors;
    if (field == Field::gf16 && !full_run()) {
        for (unsigned bit = 0; bit < 16; ++bit) {
            factors.push_back(element(1u << bit));
        }
        while (factors.size() < 256) {
            factors.push_back(element(static_cast<std::uint32_t>(random() & 0xffff)));
        }
        return factors;
    }
    for (std::uint32_t a = 0; a < size_of(field); ++a) {
        factors.push_back(element(a));
    }
    return factors;
}

TEST(GfComplete, HasOurProducts) {
    std::mt19937_64 random(test_seed());
    for (Field field : fields) {
        GfComplete theirs(field);
        for (Element a : factors_of(field, random)) {
            std::uint32_t differing = 0;
            for (std::uint32_t b = 0; b < size_of(field); ++b) {
                differing += gf::multiply(field, a, element(b)) != theirs.multiply(a, element(b));
            }
            ASSERT_EQ(differing, 0) << gf::bits(field) << " bits, " << a;
        }
    }
}

TEST(GfComplete, HasOurProductsByEachOfItsMethods) {
    std::mt19937_64 random(test_seed());
    for (Field field : fields) {
        for (int method : {GF_MULT_SHIFT, GF_MULT_LOG_TABLE, GF_MULT_BYTWO_b}) {
            GfComplete theirs(field, method);
            for (int i = 0; i < 200'000; ++i) {
                const Element a = element(static_cast<std::uint32_t>(random() % size_of(field)));
                const Element b = element(static_cast<std::uint32_t>(random() % size_of(field)));
                ASSERT_EQ(gf::multiply(field, a, b), theirs.multiply(a, b))
                    << gf::bits(field) << " bits, method " << method << ", " << a << " * " << b;
            }
        }
    }
}

TEST(GfComplete, HasOurInversesAndQuotients) {
    std::mt19937_64 random(test_seed());
    for (Field field : fields) {
        GfComplete theirs(field);
        for (std::uint32_t value = 1; value < size_of(field); ++value) {
            const Element a = element(value);
            ASSERT_EQ(gf::inverse(field, a), theirs.inverse(a)) << gf::bits(field) << " bits";
            const Element b = element(static_cast<std::uint32_t>(random() % size_of(field)));
            ASSERT_EQ(gf::multiply(field, b, gf::inverse(field, a)), theirs.divide(b, a))
                << gf::bits(field) << " bits, " << b << " / " << a;
        }
    }
}

TEST(GfComplete, HasOurPowers) {
    for (Field field : fields) {
        GfComplete theirs(field);
        for (Element base : {Element{2}, Element{3}, Element{13}}) {
            Element value = 1;
            for (std::uint32_t exponent = 0; exponent < size_of(field); ++exponent) {
                ASSERT_EQ(gf::power(field, base, exponent), value)
                    << gf::bits(field) << " bits, " << base << " to the " << exponent;
                value = theirs.multiply(value, base);
            }
        }
    }
    GfComplete logarithms(Field::gf16, GF_MULT_LOG_TABLE);
    for (std::uint32_t exponent = 0; exponent < 65535; ++exponent) {
        ASSERT_EQ(gf::power(Field::gf16, 2, exponent), logarithms.antilogarithm16(exponent));
    }
}

TEST(GfComplete, AgreesThatDecodeRowsGiveTheLostFragment) {
    std::mt19937_64 random(test_seed());
    for (gf::Code code : {gf::Code::isa_l_rs_vand, gf::Code::isa_l_rs_cauchy,
                          gf::Code::isa_l_rs_vand_inv, gf::Code::jerasure_rs_vand,
                          gf::Code::jerasure_rs_cauchy, gf::Code::liberasurecode_rs_vand}) {
        GfComplete theirs(gf::field(code));
        int rows = 0;
        for (const auto& [k, m] : {std::pair{4, 2}, {10, 4}, {12, 4}}) {
            const gf::Matrix generator = gf::generator(code, k, m).value();
            Indexes order(generator.rows());
            std::iota(order.begin(), order.end(), std::uint8_t{0});
            for (int loss = 0; loss < 200; ++loss) {
                std::ranges::shuffle(order, random);
                const auto survivors = std::span(order).first(generator.columns());
                const std::uint8_t wanted = order.back();
                const auto row = gf::decode_row(generator, survivors, wanted);
                if (!row) continue;
                ++rows;
                for (std::size_t column = 0; column < generator.columns(); ++column) {
                    Element sum = 0;
                    for (std::size_t j = 0; j < survivors.size(); ++j) {
                        sum ^= theirs.multiply((*row)[j], generator.at(survivors[j], column));
                    }
                    ASSERT_EQ(sum, generator.at(wanted, column)) << static_cast<int>(code);
                }
            }
        }
        EXPECT_GT(rows, 500) << static_cast<int>(code);
    }
}

/// gf-complete's regions in the layouts that Swift's codes have: for GF(2^4) Jerasure's packets.
class Regions {
  public:
    explicit Regions(Field field)
        : theirs_(field, field == Field::gf4 ? GF_MULT_TABLE : GF_MULT_DEFAULT,
                  field == Field::gf4 ? GF_REGION_CAUCHY : GF_REGION_DEFAULT),
          piece_bytes_(field == Field::gf4 ? gf::super_block_bytes : std::size_t{1} << 30),
          field_(field) {}

    /// One row over copies of the inputs, at the addresses that gf-complete asks for.
    std::vector<Bytes> run(const std::vector<Element>& row, const std::vector<const Bytes*>& inputs,
                           std::size_t bytes) {
        std::vector<Bytes> output(bytes);
        for (std::size_t j = 0; j < row.size(); ++j) {
            const std::vector<Bytes> input(inputs[j], inputs[j] + bytes);
            for (std::size_t first = 0; first < bytes; first += piece_bytes_) {
                theirs_.multiply_region(row[j], input.data() + first, output.data() + first,
                                        std::min(piece_bytes_, bytes - first), j != 0);
            }
        }
        return output;
    }
    Field field() const { return field_; }

  private:
    GfComplete theirs_;
    std::size_t piece_bytes_;
    Field field_;
};

/// Inputs and output as far beyond a multiple of 64 as said, between guard bytes.
struct Place {
    std::size_t bytes;
    std::size_t input_shift;
    std::size_t output_shift;
};

void compare(Regions& regions, const std::vector<Element>& row, const Place& place,
             std::mt19937_64& random) {
    constexpr std::size_t guard = 80;
    std::vector<std::vector<Bytes>> storage;
    std::vector<const Bytes*> inputs;
    for (std::size_t j = 0; j < row.size(); ++j) {
        auto& input = storage.emplace_back(64 + place.input_shift + place.bytes);
        std::ranges::generate(input, [&] { return static_cast<Bytes>(random()); });
        inputs.push_back(input.data() + place.input_shift);
    }
    const std::vector<Bytes> expected = regions.run(row, inputs, place.bytes);
    for (const DotKernels* kernels : available_kernels()) {
        std::vector<Bytes> output(2 * guard + place.output_shift + place.bytes, 0xa5);
        Bytes* const first = output.data() + guard + place.output_shift;
        DotProduct(regions.field(), row, *kernels).run(inputs, first, place.bytes);
        ASSERT_TRUE(std::equal(expected.begin(), expected.end(), first))
            << kernels->name << ", " << gf::bits(regions.field()) << " bits, " << place.bytes
            << " bytes, " << row.size() << " inputs";
        ASSERT_TRUE(std::all_of(output.data(), first, [](Bytes b) { return b == 0xa5; }));
        ASSERT_TRUE(std::all_of(first + place.bytes, output.data() + output.size(),
                                [](Bytes b) { return b == 0xa5; }));
    }
}

std::vector<Element> random_row(Field field, std::mt19937_64& random) {
    std::vector<Element> row(1 + random() % 12);
    for (Element& factor : row) {
        factor = element(static_cast<std::uint32_t>(random() % size_of(field)));
    }
    // An all-zero row is never asked for, and one of ones would be a plain XOR.
    row.front() = element(2 + static_cast<std::uint32_t>(random() % (size_of(field) - 2)));
    return row;
}

std::size_t unit_of(Field field) {
    return field == Field::gf4 ? gf::super_block_bytes : gf::bits(field) / 8;
}

TEST(GfCompleteRegions, EqualEveryDotKernelAtEveryLength) {
    std::mt19937_64 random(test_seed());
    for (Field field : fields) {
        Regions regions(field);
        for (std::size_t units = 1; units <= (field == Field::gf4 ? 4u : 600u); ++units) {
            const Place place = {units * unit_of(field), random() % 64, random() % 64};
            compare(regions, random_row(field, random), place, random);
        }
        for (std::size_t bytes : {8192u, 106'496u, 1'048'576u}) {
            compare(regions, random_row(field, random), {bytes, random() % 64, random() % 64},
                    random);
        }
        // Of one fragment of a full segment of 1 MiB over 10.
        if (field != Field::gf4)
            compare(regions, random_row(field, random), {104'858, 7, 3}, random);
    }
}

TEST(GfCompleteRegions, EqualEveryDotKernelAtEveryAlignment) {
    std::mt19937_64 random(test_seed());
    for (Field field : fields) {
        Regions regions(field);
        const std::size_t bytes = field == Field::gf4 ? gf::super_block_bytes : 334;
        for (std::size_t input = 0; input < 16; ++input) {
            for (std::size_t output = 0; output < 16; ++output) {
                compare(regions, random_row(field, random), {bytes, input, output}, random);
            }
        }
    }
}

/// 256 bytes: all that a byte can be, or words that meet each entry of a coefficient's nibble
/// tables and others.
std::vector<Bytes> telling_input(Field field, std::mt19937_64& random) {
    std::vector<Bytes> input;
    for (unsigned i = 0; field == Field::gf8 && i < 256; ++i) {
        input.push_back(static_cast<Bytes>(i));
    }
    for (unsigned i = 0; field == Field::gf16 && i < 64; ++i) {
        const unsigned word = (i % 16) << (i / 16 * 4);
        input.push_back(static_cast<Bytes>(word & 0xffu));
        input.push_back(static_cast<Bytes>(word >> 8));
    }
    while (input.size() < 256) {
        input.push_back(static_cast<Bytes>(random()));
    }
    return input;
}

TEST(GfCompleteRegions, EqualEveryDotKernelForEveryCoefficient) {
    std::mt19937_64 random(test_seed());
    for (Field field : {Field::gf8, Field::gf16}) {
        const std::vector<Bytes> input = telling_input(field, random);
        Regions regions(field);
        for (std::uint32_t value = 2; value < size_of(field); ++value) {
            const std::vector<Element> row = {element(value)};
            const std::vector<const Bytes*> inputs = {input.data()};
            const std::vector<Bytes> expected = regions.run(row, inputs, input.size());
            for (const DotKernels* kernels : available_kernels()) {
                std::vector<Bytes> output(input.size());
                DotProduct(field, row, *kernels).run(inputs, output.data(), output.size());
                ASSERT_TRUE(output == expected) << kernels->name << ' ' << value;
            }
        }
    }
}

}  // namespace
}  // namespace fragmend::codec
