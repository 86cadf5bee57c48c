// The per-thread steps against the fields' definition.
#include "kernels/gf/word_steps.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "kernels/gf/bit_matrix.hpp"
#include "kernels/gf/reference.hpp"

namespace fragmend::gf {
namespace {

std::mt19937_64 make_random() {
    const char* text = std::getenv("FRAGMEND_SEED");
    const std::uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 11;
    std::printf("FRAGMEND_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return std::mt19937_64(seed);
}

/// sum of row[j] * words[j] by the reference over the words' bytes.
std::uint32_t expected(Field field, const std::vector<Element>& row,
                       const std::vector<std::uint32_t>& words) {
    std::uint8_t out[4] = {};
    for (std::size_t j = 0; j < row.size(); ++j) {
        std::uint8_t in[4];
        std::memcpy(in, &words[j], 4);
        multiply_add(field, row[j], in, out, 4);
    }
    std::uint32_t result = 0;
    std::memcpy(&result, out, 4);
    return result;
}

std::uint32_t by_prmt(Field field, std::vector<Element> row, std::vector<std::uint32_t> words) {
    while (row.size() % 3 != 0) {
        row.push_back(0);
        words.push_back(0);
    }
    NibbleSums low;
    NibbleSums high;
    for (std::size_t j = 0; j < row.size(); j += 3) {
        const Element coefficients[3] = {row[j], row[j + 1], row[j + 2]};
        const std::uint32_t three[3] = {words[j], words[j + 1], words[j + 2]};
        add_triple(make_triple_tables(field, coefficients, 0), three, low);
        if (field == Field::gf16)
            add_triple(make_triple_tables(field, coefficients, 1), three, high);
    }
    return field == Field::gf8 ? finish_gf8(low) : finish_gf16(low, high);
}

TEST(WordSteps, PermutationSelectsBytesAndCopiesSigns) {
    EXPECT_EQ(permute_bytes(0x33221100, 0x77665544, 0x7531), 0x77553311u);
    EXPECT_EQ(permute_bytes(0x33221100, 0x77665544, 0x0246), 0x00224466u);
    EXPECT_EQ(permute_bytes(0x80000000, 0x0000007f, 0xc4b3), 0x007fff80u);
}

TEST(WordSteps, DoublingAndSixteenfoldOfEveryElement) {
    for (std::uint32_t v = 0; v < 65536; ++v) {
        const auto element = static_cast<Element>(v);
        const std::uint32_t pair = v | ((v ^ 0xa5c3u) << 16);
        const auto other = static_cast<Element>(v ^ 0xa5c3u);
        const auto both = [&](Element factor) {
            return multiply(Field::gf16, element, factor) |
                   static_cast<std::uint32_t>(multiply(Field::gf16, other, factor)) << 16;
        };
        ASSERT_EQ(twice_gf16(pair), both(2));
        ASSERT_EQ(times16_gf16(pair), both(16));
        if (v >= 256) continue;
        for (unsigned place = 0; place < 32; place += 8) {
            ASSERT_EQ(twice_gf8(v << place),
                      static_cast<std::uint32_t>(multiply(Field::gf8, element, 2)) << place);
            ASSERT_EQ(times16_gf8(v << place),
                      static_cast<std::uint32_t>(multiply(Field::gf8, element, 16)) << place);
        }
    }
}

TEST(WordSteps, EveryProductOfGf8) {
    for (Element c = 0; c < 256; ++c) {
        for (std::uint32_t v = 0; v < 256; ++v) {
            const std::uint32_t word = v * 0x01010101u;
            const std::uint32_t product =
                static_cast<std::uint32_t>(multiply(Field::gf8, c, static_cast<Element>(v))) *
                0x01010101u;
            ASSERT_EQ(by_prmt(Field::gf8, {c}, {word}), product);
            ASSERT_EQ(horner_gf8(&c, &word, 1), product);
        }
    }
}

TEST(WordSteps, RowsOfAnyLengthInBothFields) {
    std::mt19937_64 random = make_random();
    for (std::size_t count = 1; count <= 32; ++count) {
        for (int repeat = 0; repeat < 200; ++repeat) {
            for (Field field : {Field::gf8, Field::gf16}) {
                std::vector<Element> row(count);
                std::vector<std::uint32_t> words(count);
                for (std::size_t j = 0; j < count; ++j) {
                    row[j] = static_cast<Element>(random() & ((1u << bits(field)) - 1));
                    words[j] = static_cast<std::uint32_t>(random());
                }
                const std::uint32_t truth = expected(field, row, words);
                ASSERT_EQ(by_prmt(field, row, words), truth) << count;
                const auto length = static_cast<unsigned>(count);
                ASSERT_EQ(field == Field::gf8 ? horner_gf8(row.data(), words.data(), length)
                                              : horner_gf16(row.data(), words.data(), length),
                          truth)
                    << count;
            }
        }
    }
}

TEST(WordSteps, PacketsOfEveryCoefficient) {
    std::mt19937_64 random = make_random();
    for (Element c = 0; c < 16; ++c) {
        std::vector<std::uint8_t> input(super_block_bytes);
        for (std::uint8_t& byte : input) {
            byte = static_cast<std::uint8_t>(random());
        }
        std::vector<std::uint8_t> truth(super_block_bytes);
        multiply_add(Field::gf4, c, input.data(), truth.data(), super_block_bytes);
        const BitMatrix4 matrix = bit_matrix4(c);
        const std::uint8_t rows[4] = {matrix.rows[0], matrix.rows[1], matrix.rows[2],
                                      matrix.rows[3]};
        for (std::size_t i = 0; i < packet_bytes; i += 4) {
            std::uint32_t packets[4];
            std::uint32_t sums[4] = {};
            for (std::size_t x = 0; x < 4; ++x) {
                std::memcpy(&packets[x], input.data() + x * packet_bytes + i, 4);
            }
            add_packets(rows, packets, sums);
            for (std::size_t l = 0; l < 4; ++l) {
                ASSERT_EQ(std::memcmp(&sums[l], truth.data() + l * packet_bytes + i, 4), 0);
            }
        }
    }
}

}  // namespace
}  // namespace fragmend::gf
