// Rounds, charges, reductions and the choice of the piece length.
#include "scheduler/rebuild_shape.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "host/base/buffer_pool.hpp"

namespace fragmend::scheduler {
namespace {

const EcScheme scheme{"isa_l_rs_cauchy", 10, 4};

TEST(RebuildShape, CutsAnArchiveIntoRounds) {
    const auto shape = fit_shape(scheme, 2500, 1000, {}, 1 << 20).value();
    EXPECT_EQ(shape.rounds, 3u);
    EXPECT_EQ(shape.bytes_of_round(0), 1000u);
    EXPECT_EQ(shape.bytes_of_round(2), 500u);
    EXPECT_EQ(shape.survivors_max, 10u);
    EXPECT_TRUE(shape.hold_all);
    EXPECT_EQ(shape.output_slots, 3u);
    const auto exact = fit_shape(scheme, 3000, 1000, {}, 1 << 20).value();
    EXPECT_EQ(exact.rounds, 3u);
    EXPECT_EQ(exact.bytes_of_round(2), 1000u);
}

TEST(RebuildShape, ChargesASmallObjectByItsArchiveNotByASegment) {
    const auto shape = fit_shape(scheme, 200, 105000, {}, 1 << 20).value();
    EXPECT_EQ(shape.piece_bytes, 200u);
    EXPECT_EQ(shape.rounds, 1u);
    EXPECT_EQ(shape.input_sets, 1u);
    EXPECT_LE(shape.charge_bytes(), 8192u);
}

TEST(RebuildShape, KeepsSlotsApartAlignedAndOneByteLongerThanAPiece) {
    const auto shape = fit_shape(scheme, 5000, 333, {}, 1 << 20).value();
    alignas(64) static std::byte slab[1 << 16];
    const std::byte* end = slab;
    for (std::size_t i = 0; i < shape.input_sets * shape.survivors_max; ++i) {
        const ByteSpan slot = shape.slot(slab, i);
        EXPECT_EQ(slot.size(), 334u);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slot.data() + 80) % 64, 0u);
        EXPECT_GE(slot.data(), end);
        end = slot.data() + slot.size();
    }
    EXPECT_LE(end, slab + shape.input_bytes());
}

TEST(RebuildShape, GivesUpComfortStepByStepUntilItFits) {
    std::size_t last_charge = std::size_t{1} << 40;
    bool refused = false;
    RebuildShape smallest;
    for (std::size_t bytes_max = 4 << 20; bytes_max > 4096; bytes_max -= 4096) {
        const auto shape = fit_shape(scheme, 900'000, 100'000, {}, bytes_max);
        refused = shape.has_error();
        if (refused) {
            EXPECT_TRUE(shape.error() == errc::limit);
            break;
        }
        EXPECT_LE(shape.value().charge_bytes(), bytes_max);
        EXPECT_LE(shape.value().charge_bytes(), last_charge);
        last_charge = shape.value().charge_bytes();
        smallest = shape.value();
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(smallest.input_sets, 1u);
    EXPECT_EQ(smallest.output_slots, 1u);
    EXPECT_FALSE(smallest.hold_all);
}

TEST(RebuildCharge, HoldsReceiveBuffersOnlyWhereTheyFitAndNeverRefusesASlab) {
    const RebuildLimits limits;
    const auto shape = fit_shape(scheme, 30'000, 30'000, limits, 1 << 20).value();
    const std::size_t slabs = shape.charge_bytes();
    const std::size_t least = limits.object_bytes + 10 * limits.survivor_bytes;
    const std::size_t whole = least + 10 * 30'000;
    const RebuildCharge roomy = charge_of(shape, limits, slabs + whole);
    EXPECT_TRUE(roomy.receives_whole);
    EXPECT_EQ(roomy.bytes(), slabs + whole);
    const RebuildCharge narrow = charge_of(shape, limits, slabs + whole - 1);
    EXPECT_FALSE(narrow.receives_whole);
    EXPECT_EQ(narrow.bytes(), slabs + least);
    const RebuildCharge tight = charge_of(shape, limits, slabs + least / 2);
    EXPECT_EQ(tight.bytes(), slabs + least / 2);
    EXPECT_EQ(charge_of(shape, limits, slabs).bytes(), slabs);
}

TEST(RebuildCharge, ReceivesNoLargeArchiveWhole) {
    const RebuildLimits limits;
    const auto shape = fit_shape(scheme, 32'769, 30'000, limits, 8 << 20).value();
    EXPECT_FALSE(charge_of(shape, limits, 8 << 20).receives_whole);
}

TEST(RebuildShape, AllowsAllOthersForFlatXor) {
    EXPECT_EQ(survivors_max({"flat_xor_hd_3", 10, 5}), 14u);
    EXPECT_EQ(survivors_max({"liberasurecode_rs_vand", 10, 5}), 10u);
}

TEST(RebuildShape, KnowsWhichPiecesFit) {
    EXPECT_TRUE(pieces_fit(1000, 500));
    EXPECT_TRUE(pieces_fit(1081, 500));
    EXPECT_FALSE(pieces_fit(1080, 500));
    EXPECT_FALSE(pieces_fit(1001, 500));
    EXPECT_FALSE(pieces_fit(1000, 80));
    EXPECT_FALSE(pieces_fit(0, 500));
}

using Announced = std::vector<std::optional<std::size_t>>;

TEST(PieceChoice, TakesWhatIsKnownEvenFromOne) {
    const auto choice = choose_piece(200, true, 1000, Announced{130, 130, 200});
    EXPECT_EQ(choice.piece_bytes, 200u);
    EXPECT_EQ(choice.outvoted, (std::vector<std::size_t>{0, 1}));
}

TEST(PieceChoice, TakesWhatIsOnlyExpectedAmongEquals) {
    const auto outvoted = choose_piece(200, false, 1000, Announced{130, 130, 200});
    EXPECT_EQ(outvoted.piece_bytes, 130u);
    EXPECT_EQ(outvoted.outvoted, (std::vector<std::size_t>{2}));
    const auto expected = choose_piece(200, false, 1000, Announced{130, 200, 150});
    EXPECT_EQ(expected.piece_bytes, 200u);
    EXPECT_EQ(expected.outvoted, (std::vector<std::size_t>{0, 2}));
}

TEST(PieceChoice, TakesWhatMostAgreeOnOtherwise) {
    const auto choice = choose_piece(200, true, 1000, Announced{130, 150, 150});
    EXPECT_EQ(choice.piece_bytes, 150u);
    EXPECT_EQ(choice.outvoted, (std::vector<std::size_t>{0}));
}

TEST(PieceChoice, DoesNotCountWhatCannotBe) {
    const auto choice = choose_piece(500, true, 1000, Announced{1001, 1001, 80, 80, {}, {}, 200});
    EXPECT_EQ(choice.piece_bytes, 200u);
    EXPECT_EQ(choice.outvoted, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
}

TEST(PieceChoice, OutvotesEverybodyWhenNobodyIsReadable) {
    EXPECT_EQ(choose_piece(200, true, 1000, Announced{{}, 80}).outvoted.size(), 2u);
}

}  // namespace
}  // namespace fragmend::scheduler
