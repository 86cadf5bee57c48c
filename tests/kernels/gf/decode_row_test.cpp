// Decode rows and the choice of survivors.
#include "kernels/gf/decode_row.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "kernels/gf/reference.hpp"

namespace fragmend::gf {
namespace {

using testing::ElementsAre;

using Indexes = std::vector<std::uint8_t>;

Indexes all_but(const Matrix& generator, std::uint8_t missing) {
    Indexes indexes(generator.rows());
    std::iota(indexes.begin(), indexes.end(), std::uint8_t{0});
    std::erase(indexes, missing);
    return indexes;
}

bool determines(const Matrix& generator, const Indexes& survivors, std::uint8_t wanted) {
    return decode_row(generator, survivors, wanted).has_value();
}

TEST(DecodeRow, OneLostDataFragmentOfAVandermondeCodeIsAPlainXor) {
    const Matrix matrix = generator(Code::liberasurecode_rs_vand, 4, 2).value();
    const Indexes survivors = {0, 1, 3, 4};
    EXPECT_THAT(decode_row(matrix, survivors, 2).value(), ElementsAre(1, 1, 1, 1));
}

TEST(DecodeRow, GivesTheParityRowFromTheData) {
    const Matrix matrix = generator(Code::isa_l_rs_cauchy, 4, 2).value();
    const Indexes survivors = {3, 1, 0, 2};
    EXPECT_THAT(decode_row(matrix, survivors, 4).value(), ElementsAre(186, 167, 71, 122));
}

TEST(DecodeRow, TooFewSurvivorsDetermineNothing) {
    for (Code code : {Code::liberasurecode_rs_vand, Code::jerasure_rs_vand, Code::isa_l_rs_cauchy,
                      Code::isa_l_rs_vand_inv, Code::jerasure_rs_cauchy}) {
        const Matrix matrix = generator(code, 4, 2).value();
        EXPECT_FALSE(decode_row(matrix, Indexes{1, 2, 4}, 0));
        EXPECT_FALSE(decode_row(matrix, Indexes{}, 0));
    }
}

TEST(DecodeRow, SeveralWantedFragmentsShareTheirSurvivors) {
    const Matrix matrix = generator(Code::isa_l_rs_cauchy, 4, 2).value();
    const Indexes survivors = {0, 1, 4, 5};
    const Indexes wanted = {2, 3};
    const Matrix rows = decode_rows(matrix, survivors, wanted).value();
    for (std::size_t i = 0; i < 2; ++i) {
        const auto single = decode_row(matrix, survivors, wanted[i]).value();
        EXPECT_TRUE(std::ranges::equal(rows.row(i), single));
    }
    EXPECT_FALSE(decode_rows(matrix, Indexes{0, 1, 4}, wanted));
}

/// ISA-L's own gf_invert_matrix fails for 46 of the 8,008 sets of ten rows of its 10+6 matrix.
TEST(DecodeRow, SingularSetsAreFound) {
    const Matrix matrix = generator(Code::isa_l_rs_vand, 10, 6).value();
    int singular = 0;
    for (std::uint32_t set = 0; set < (1u << 16); ++set) {
        if (std::popcount(set) != 10) continue;
        RowSpace space(Field::gf8, 10, 10);
        for (std::size_t i = 0; i < 16; ++i) {
            if ((set >> i) & 1u) space.add(matrix.row(i));
        }
        singular += space.dimension() < 10 ? 1 : 0;
    }
    EXPECT_EQ(singular, 46);
}

TEST(CheckRow, GivesBackEverySurvivor) {
    for (Code code : {Code::liberasurecode_rs_vand, Code::isa_l_rs_cauchy, Code::jerasure_rs_cauchy,
                      Code::flat_xor_hd_4}) {
        const Matrix matrix = generator(code, 10, code == Code::flat_xor_hd_4 ? 5 : 4).value();
        for (std::uint8_t wanted : {std::uint8_t{0}, std::uint8_t{9}, std::uint8_t{12}}) {
            const auto survivors =
                choose_survivors(code, matrix, all_but(matrix, wanted), wanted).value();
            const auto row = decode_row(matrix, survivors, wanted).value();
            for (std::size_t i = 0; i < survivors.size(); ++i) {
                Indexes others = survivors;
                others[i] = wanted;
                // Solved on its own, without the rule under test.
                EXPECT_EQ(check_row(matrix.field(), row, i),
                          decode_row(matrix, others, survivors[i]).value());
            }
        }
    }
}

TEST(ChooseSurvivors, TakesTheFirstOfAnMdsCode) {
    const Matrix matrix = generator(Code::isa_l_rs_cauchy, 4, 2).value();
    const auto choose = [&](const Indexes& available, std::uint8_t wanted) {
        return choose_survivors(Code::isa_l_rs_cauchy, matrix, available, wanted);
    };
    EXPECT_THAT(choose({5, 3, 1, 0, 4}, 2).value(), ElementsAre(5, 3, 1, 0));
    EXPECT_THAT(choose({2, 5, 3, 3, 200, 1, 0}, 2).value(), ElementsAre(5, 3, 1, 0))
        << "the wanted one, repetitions and strangers are passed over";
    EXPECT_FALSE(choose({5, 3, 1, 1}, 2));
}

TEST(ChooseSurvivors, GoesRoundASingularSet) {
    const Matrix matrix = generator(Code::isa_l_rs_vand, 10, 6).value();
    int gone_round = 0;
    for (std::uint32_t set = 0; set < (1u << 16); ++set) {
        if (std::popcount(set) != 11) continue;
        Indexes available;
        for (std::uint8_t i = 0; i < 16; ++i) {
            if ((set >> i) & 1u) available.push_back(i);
        }
        const auto first_ten = Indexes(available.begin(), available.begin() + 10);
        const auto wanted = static_cast<std::uint8_t>(std::countr_one(set));
        if (determines(matrix, first_ten, wanted)) continue;
        const auto chosen = choose_survivors(Code::isa_l_rs_vand, matrix, available, wanted);
        if (!chosen) continue;
        ++gone_round;
        EXPECT_TRUE(determines(matrix, *chosen, wanted));
    }
    EXPECT_GT(gone_round, 0);
}

/// Against brute force: a flat XOR set is found exactly when there is one, and none is smaller.
TEST(ChooseSurvivors, FindsTheSmallestXorEquation) {
    for (const auto& [code, k, m] :
         {std::tuple{Code::flat_xor_hd_3, 3, 3}, std::tuple{Code::flat_xor_hd_4, 5, 5}}) {
        const Matrix matrix = generator(code, k, m).value();
        const auto n = static_cast<std::uint8_t>(k + m);
        for (std::uint32_t present = 0; present < (1u << n); ++present) {
            for (std::uint8_t wanted = 0; wanted < n; ++wanted) {
                if ((present >> wanted) & 1u) continue;
                Indexes available;
                for (std::uint8_t i = 0; i < n; ++i) {
                    if ((present >> i) & 1u) available.push_back(i);
                }
                const auto chosen = choose_survivors(code, matrix, available, wanted);
                EXPECT_EQ(chosen.has_value(), determines(matrix, available, wanted));
                if (!chosen) continue;
                EXPECT_TRUE(determines(matrix, *chosen, wanted));
                if (chosen->size() < 2) continue;
                // No smaller set: each available subset of one element less fails.
                for (std::uint32_t set = present; set != 0; set = (set - 1) & present) {
                    if (static_cast<std::size_t>(std::popcount(set)) + 1 != chosen->size())
                        continue;
                    Indexes subset;
                    for (std::uint8_t i = 0; i < n; ++i) {
                        if ((set >> i) & 1u) subset.push_back(i);
                    }
                    ASSERT_FALSE(determines(matrix, subset, wanted));
                }
            }
        }
    }
}

TEST(Reference, WorksInEachLayout) {
    std::uint8_t out[4] = {1, 2, 3, 4};
    const std::uint8_t in[4] = {0x80, 0x01, 0x02, 0x40};
    multiply_add(Field::gf2, 1, in, out, 4);
    EXPECT_THAT(out, ElementsAre(0x81, 3, 1, 0x44));
    multiply_add(Field::gf2, 0, in, out, 4);
    EXPECT_THAT(out, ElementsAre(0x81, 3, 1, 0x44));
    std::ranges::fill(out, std::uint8_t{0});
    multiply_add(Field::gf8, 2, in, out, 4);
    EXPECT_THAT(out, ElementsAre(0x1d, 2, 4, 0x80));
    std::ranges::fill(out, std::uint8_t{0});
    const std::uint16_t word = 0x8001;
    multiply_add(Field::gf16, 2, reinterpret_cast<const std::uint8_t*>(&word), out, 2);
    EXPECT_EQ(out[0] | (out[1] << 8), 0x100b ^ 2);

    // Element 8 in every lane of the first byte, times 2, is x^4 = x + 1.
    std::vector<std::uint8_t> packets(super_block_bytes);
    std::vector<std::uint8_t> product(super_block_bytes);
    packets[3 * packet_bytes] = 0xff;
    multiply_add(Field::gf4, 2, packets.data(), product.data(), super_block_bytes);
    EXPECT_EQ(product[0], 0xff);
    EXPECT_EQ(product[packet_bytes], 0xff);
    EXPECT_EQ(product[2 * packet_bytes], 0);
    EXPECT_EQ(product[3 * packet_bytes], 0);
}

}  // namespace
}  // namespace fragmend::gf
