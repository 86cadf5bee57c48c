// Which kernel serves which coefficients.
#include "kernels/api/rows.hpp"

#include <gtest/gtest.h>

#include "kernels/api/limits.hpp"

namespace fragmend::kernels {
namespace {

gf::Matrix filled(gf::Field field, std::size_t rows, std::size_t columns, gf::Element value) {
    gf::Matrix matrix(field, rows, columns);
    for (std::size_t i = 0; i < rows; ++i) {
        for (gf::Element& element : matrix.row(i)) {
            element = value;
        }
    }
    return matrix;
}

TEST(Rows, PlainSumsTakeTheXorKernelInEveryField) {
    for (gf::Field field : {gf::Field::gf2, gf::Field::gf4, gf::Field::gf8, gf::Field::gf16}) {
        const Rows rows = Rows::make(filled(field, 1, 10, 1)).value();
        EXPECT_EQ(rows.kernel(), Kernel::exclusive_or);
        EXPECT_EQ(rows.granule_bytes(), 1u);
    }
}

TEST(Rows, OtherCoefficientsTakeTheirFieldsKernel) {
    EXPECT_EQ(Rows::make(filled(gf::Field::gf4, 1, 4, 2))->kernel(), Kernel::packets);
    EXPECT_EQ(Rows::make(filled(gf::Field::gf4, 1, 4, 2))->granule_bytes(), 4096u);
    EXPECT_EQ(Rows::make(filled(gf::Field::gf8, 1, 4, 2))->kernel(), Kernel::gf8);
    EXPECT_EQ(Rows::make(filled(gf::Field::gf16, 1, 4, 2))->kernel(), Kernel::gf16);
    EXPECT_EQ(Rows::make(filled(gf::Field::gf16, 1, 4, 2))->granule_bytes(), 2u);
    EXPECT_EQ(Rows::make(filled(gf::Field::gf8, 1, 4, 2), Technique::reference)->kernel(),
              Kernel::reference_gf8);
}

TEST(Rows, NothingBeyondTheLimits) {
    EXPECT_FALSE(Rows::make(filled(gf::Field::gf8, outputs_max + 1, 4, 2)));
    EXPECT_FALSE(Rows::make(filled(gf::Field::gf8, 1, sources_max + 1, 2)));
    EXPECT_FALSE(Rows::make(filled(gf::Field::gf8, 0, 4, 2)));
    EXPECT_FALSE(Rows::make(filled(gf::Field::gf8, 1, 0, 2)));
    const auto most = Rows::make(filled(gf::Field::gf16, outputs_max, sources_max, 2));
    EXPECT_EQ(most->table().size(), table_words_max);
}

}  // namespace
}  // namespace fragmend::kernels
