// Generator matrices against coefficients taken from the libraries themselves.
#include "kernels/gf/generator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

namespace fragmend::gf {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

std::vector<Element> parity(Code code, int k, int m, std::size_t row) {
    const Matrix matrix = generator(code, k, m).value();
    const auto elements = matrix.row(static_cast<std::size_t>(k) + row);
    return {elements.begin(), elements.end()};
}

TEST(Generator, DataFragmentsAreTheData) {
    for (const auto& [code, k, m] :
         {std::tuple{Code::liberasurecode_rs_vand, 10, 4}, std::tuple{Code::jerasure_rs_vand, 4, 2},
          std::tuple{Code::jerasure_rs_cauchy, 8, 4}, std::tuple{Code::isa_l_rs_vand, 6, 3},
          std::tuple{Code::isa_l_rs_cauchy, 10, 4}, std::tuple{Code::isa_l_rs_vand_inv, 10, 4},
          std::tuple{Code::flat_xor_hd_3, 10, 5}, std::tuple{Code::flat_xor_hd_4, 20, 6}}) {
        const Matrix matrix = generator(code, k, m).value();
        ASSERT_EQ(matrix.rows(), static_cast<std::size_t>(k + m));
        ASSERT_EQ(matrix.columns(), static_cast<std::size_t>(k));
        for (std::size_t i = 0; i < matrix.columns(); ++i) {
            for (std::size_t j = 0; j < matrix.columns(); ++j) {
                EXPECT_EQ(matrix.at(i, j), i == j ? 1 : 0);
            }
        }
    }
}

TEST(Generator, LiberasurecodeVandermonde) {
    constexpr Code code = Code::liberasurecode_rs_vand;
    EXPECT_THAT(parity(code, 4, 2, 0), ElementsAre(1, 1, 1, 1));
    EXPECT_THAT(parity(code, 4, 2, 1), ElementsAre(20483, 52230, 27503, 30722));
    EXPECT_THAT(parity(code, 10, 4, 0), ElementsAre(1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
    EXPECT_THAT(parity(code, 10, 4, 1),
                ElementsAre(60304, 10240, 9947, 60935, 49158, 13750, 14803, 46085, 61447, 34820));
    EXPECT_THAT(parity(code, 10, 4, 2),
                ElementsAre(5, 19059, 48567, 61443, 34817, 55000, 4, 50989, 3, 2));
    EXPECT_THAT(parity(code, 10, 4, 3),
                ElementsAre(56991, 34816, 20487, 5, 4, 52227, 40541, 61442, 61445, 34823));
}

TEST(Generator, JerasureVandermonde) {
    constexpr Code code = Code::jerasure_rs_vand;
    EXPECT_THAT(parity(code, 4, 2, 0), ElementsAre(1, 1, 1, 1));
    EXPECT_THAT(parity(code, 4, 2, 1), ElementsAre(1, 52230, 34820, 17411));
    EXPECT_THAT(parity(code, 10, 4, 1),
                ElementsAre(1, 11264, 64362, 11520, 57337, 37599, 5967, 11776, 12288, 15360));
    EXPECT_THAT(parity(code, 10, 4, 2),
                ElementsAre(1, 5967, 9947, 49158, 30722, 27503, 20483, 28254, 61446, 40964));
    EXPECT_THAT(parity(code, 10, 4, 3),
                ElementsAre(1, 10240, 20483, 30722, 40965, 34820, 61447, 55302, 20482, 30723));
}

TEST(Generator, IsaLMatrices) {
    EXPECT_THAT(parity(Code::isa_l_rs_vand, 4, 2, 0), ElementsAre(1, 1, 1, 1));
    EXPECT_THAT(parity(Code::isa_l_rs_vand, 4, 2, 1), ElementsAre(1, 2, 4, 8));
    EXPECT_THAT(parity(Code::isa_l_rs_vand, 10, 4, 2),
                ElementsAre(1, 4, 16, 64, 29, 116, 205, 19, 76, 45));
    EXPECT_THAT(parity(Code::isa_l_rs_cauchy, 4, 2, 0), ElementsAre(71, 167, 122, 186));
    EXPECT_THAT(parity(Code::isa_l_rs_cauchy, 4, 2, 1), ElementsAre(167, 71, 186, 122));
    EXPECT_THAT(parity(Code::isa_l_rs_cauchy, 10, 4, 0),
                ElementsAre(221, 152, 173, 157, 93, 150, 61, 170, 142, 244));
    EXPECT_THAT(parity(Code::isa_l_rs_vand_inv, 4, 2, 0), ElementsAre(64, 120, 54, 15));
    EXPECT_THAT(parity(Code::isa_l_rs_vand_inv, 4, 2, 1), ElementsAre(231, 210, 87, 99));
    EXPECT_THAT(parity(Code::isa_l_rs_vand_inv, 10, 4, 0),
                ElementsAre(193, 157, 113, 95, 94, 199, 111, 159, 194, 216));
}

TEST(Generator, JerasureCauchy) {
    EXPECT_THAT(parity(Code::jerasure_rs_cauchy, 4, 2, 0), ElementsAre(9, 14, 13, 11));
    EXPECT_THAT(parity(Code::jerasure_rs_cauchy, 4, 2, 1), ElementsAre(14, 9, 11, 13));
    EXPECT_THAT(parity(Code::jerasure_rs_cauchy, 10, 4, 0),
                ElementsAre(13, 11, 7, 6, 15, 2, 12, 5, 10, 4));
    EXPECT_FALSE(generator(Code::jerasure_rs_cauchy, 12, 5));
}

TEST(Generator, FlatXorExistsOnlyWhereTheLibraryHasTables) {
    int found = 0;
    for (Code code : {Code::flat_xor_hd_3, Code::flat_xor_hd_4}) {
        for (int k = 1; k < 28; ++k) {
            for (int m = 1; m < 8; ++m) {
                found += generator(code, k, m).has_value() ? 1 : 0;
            }
        }
    }
    EXPECT_EQ(found, 6 + 10 + 1 + 6 + 15);
}

/// hd - 1 losses can always be repaired: every sum of at most hd - 1 columns of the parity check
/// matrix differs from zero.
TEST(Generator, FlatXorHasItsHammingDistance) {
    for (const auto& [code, k, m, hd] :
         {std::tuple{Code::flat_xor_hd_3, 15, 6, 3}, std::tuple{Code::flat_xor_hd_3, 3, 3, 3},
          std::tuple{Code::flat_xor_hd_4, 10, 5, 4}, std::tuple{Code::flat_xor_hd_4, 12, 6, 4},
          std::tuple{Code::flat_xor_hd_4, 20, 6, 4}}) {
        const Matrix matrix = generator(code, k, m).value();
        std::vector<std::uint32_t> columns;
        for (int i = 0; i < k; ++i) {
            std::uint32_t column = 0;
            for (int p = 0; p < m; ++p) {
                column |= static_cast<std::uint32_t>(matrix.at(static_cast<std::size_t>(k + p),
                                                               static_cast<std::size_t>(i)))
                          << p;
            }
            columns.push_back(column);
        }
        for (int p = 0; p < m; ++p) {
            columns.push_back(1u << p);
        }
        for (std::uint32_t set = 1; set < (1u << (k + m)); ++set) {
            if (std::popcount(set) >= hd) continue;
            std::uint32_t sum = 0;
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if ((set >> i) & 1u) sum ^= columns[i];
            }
            ASSERT_NE(sum, 0u) << k << '+' << m;
        }
    }
}

TEST(Generator, ImpossibleNumbersHaveNone) {
    for (Code code : {Code::liberasurecode_rs_vand, Code::jerasure_rs_vand, Code::isa_l_rs_cauchy,
                      Code::isa_l_rs_vand, Code::isa_l_rs_vand_inv, Code::jerasure_rs_cauchy}) {
        EXPECT_FALSE(generator(code, 0, 2));
        EXPECT_FALSE(generator(code, 4, 0));
        EXPECT_FALSE(generator(code, -1, 4));
        EXPECT_FALSE(generator(code, 200, 100));
    }
}

}  // namespace
}  // namespace fragmend::gf
