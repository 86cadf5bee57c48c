// What the kernel bench lays out and expects, with the emulation in a device's place.
#include "kernels/bench/work.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>

#include "kernels/api/cpu_engine.hpp"
#include "kernels/bench/engine_flow.hpp"
#include "kernels/bench/shape.hpp"
#include "kernels/gf/decode_row.hpp"
#ifdef FRAGMEND_HAVE_THRUST
#include <thrust/execution_policy.h>

#include "kernels/bench/pattern_steps.hpp"
#endif

namespace fragmend::bench {
namespace {

constexpr std::size_t source_bytes_max = 1 << 20;

struct Case {
    gf::Code code;
    int k;
    int m;
    int lost;
    std::size_t bytes;
};

void PrintTo(const Case& value, std::ostream* out) {
    *out << "code " << static_cast<int>(value.code) << ' ' << value.k << '+' << value.m << ", lost "
         << value.lost << ", " << value.bytes << " bytes";
}

gf::Matrix rows_of(const Case& value) {
    const gf::Matrix generator = gf::generator(value.code, value.k, value.m).value();
    std::vector<std::uint8_t> survivors;
    std::vector<std::uint8_t> wanted;
    for (int i = 0; i < value.k + value.m; ++i) {
        (i < value.lost ? wanted : survivors).push_back(static_cast<std::uint8_t>(i));
    }
    if (gf::any_k_suffice(value.code)) survivors.resize(static_cast<std::size_t>(value.k));
    return gf::decode_rows(generator, survivors, wanted).value();
}

/// Filling and comparing byte by byte.
struct Plain {
    static void write(std::uint8_t* slab, const Expectation& expected) {
        const std::uint64_t source_bytes = expected.items * expected.sources * expected.stride;
        for (std::uint64_t i = 0; i < source_bytes; ++i) {
            slab[i] = expected.pattern.byte(i);
        }
        std::fill_n(slab + source_bytes, expected.size(), poison);
    }
    static std::uint64_t first_difference(const std::uint8_t* slab, const Expectation& expected) {
        const std::uint8_t* outputs = slab + expected.items * expected.sources * expected.stride;
        std::uint64_t i = 0;
        while (i < expected.size() && outputs[i] == expected(i)) {
            ++i;
        }
        return i;
    }
};

#ifdef FRAGMEND_HAVE_THRUST
/// The calls that the bench makes, without a device.
struct Thrust {
    static void write(std::uint8_t* slab, const Expectation& expected) {
        write_pattern(thrust::seq, slab, expected);
    }
    static std::uint64_t first_difference(const std::uint8_t* slab, const Expectation& expected) {
        return bench::first_difference(thrust::seq, slab, expected);
    }
};
using Ways = testing::Types<Plain, Thrust>;
#else
using Ways = testing::Types<Plain>;
#endif

template <class Way>
class Work : public testing::Test {
  protected:
    static bool run(bench::Work& work) {
        kernels::Limits limits;
        limits.batches_in_flight = 1;
        kernels::CpuEngine engine(limits);
        kernels::Ticket ticket;
        return engine.submit(work.items, kernels::Memory::mapped, ticket).ok() &&
               engine.wait(ticket, 0).ok();
    }
};
TYPED_TEST_SUITE(Work, Ways);

constexpr Case cases[] = {
    {gf::Code::isa_l_rs_cauchy, 4, 2, 1, 1024},
    {gf::Code::isa_l_rs_cauchy, 10, 4, 4, 8192},
    {gf::Code::isa_l_rs_cauchy, 10, 4, 2, 1037},
    {gf::Code::liberasurecode_rs_vand, 10, 4, 1, 1024},
    {gf::Code::liberasurecode_rs_vand, 10, 4, 4, 10'486},
    {gf::Code::jerasure_rs_cauchy, 10, 4, 2, 4096},
    {gf::Code::jerasure_rs_cauchy, 10, 4, 4, 8192},
    {gf::Code::flat_xor_hd_4, 10, 5, 1, 1000},
    {gf::Code::flat_xor_hd_4, 10, 5, 2, 8192},
};

TYPED_TEST(Work, ADecodeGivesWhatIsExpected) {
    std::vector<std::uint64_t> slab(2 * source_bytes_max / 8);
    auto* bytes = reinterpret_cast<std::uint8_t*>(slab.data());
    for (const Case& value : cases) {
        SCOPED_TRACE(testing::PrintToString(value));
        const gf::Matrix coefficients = rows_of(value);
        const auto rows = kernels::Rows::make(coefficients).value();
        bench::Work work =
            lay_out(rows, coefficients, {}, source_bytes_max, bytes, value.bytes, 3, false);
        ASSERT_GT(work.items.size(), 1u);
        TypeParam::write(bytes, work.expected);
        EXPECT_EQ(TypeParam::first_difference(bytes, work.expected), 0u) << "before the run";
        ASSERT_TRUE(this->run(work));
        EXPECT_EQ(TypeParam::first_difference(bytes, work.expected), work.expected.size());
    }
}

TYPED_TEST(Work, AnyWrongByteIsFound) {
    const Case value = {gf::Code::isa_l_rs_cauchy, 10, 4, 2, 1037};
    std::vector<std::uint64_t> slab(2 * source_bytes_max / 8);
    auto* bytes = reinterpret_cast<std::uint8_t*>(slab.data());
    const gf::Matrix coefficients = rows_of(value);
    const auto rows = kernels::Rows::make(coefficients).value();
    bench::Work work =
        lay_out(rows, coefficients, {}, source_bytes_max, bytes, value.bytes, 3, false);
    TypeParam::write(bytes, work.expected);
    ASSERT_TRUE(this->run(work));
    const std::size_t stride = work.expected.stride;
    // The first, the last of a payload, the one behind it, a later item's, the last of all.
    for (std::size_t place :
         {std::size_t{0}, value.bytes - 1, value.bytes, 7 * stride + 5, work.expected.size() - 1}) {
        std::uint8_t& byte = work.outputs[0][place];
        byte ^= 0x10;
        EXPECT_EQ(TypeParam::first_difference(bytes, work.expected), place);
        byte ^= 0x10;
    }
}

TEST(Shape, RunsItsSchemesOwnKernel) {
    for (const Scheme& scheme : schemes()) {
        SCOPED_TRACE(scheme.name);
        const auto shape = make_shape(scheme, 1, 104'858);
        ASSERT_TRUE(shape.has_value());
        EXPECT_EQ(shape->rows.kernel(), kernel_of(scheme.code));
        EXPECT_GE(shape->bytes, 104'858u);
        EXPECT_EQ(shape->bytes % shape->rows.granule_bytes(), 0u);
        if (gf::field(scheme.code) == gf::Field::gf2) continue;
        EXPECT_EQ(shape->rows.sources(), static_cast<unsigned>(scheme.k));
    }
}

TEST(Shape, NothingOfMoreThanTheSchemeBears) {
    EXPECT_FALSE(make_shape({"isa_l_rs_cauchy", gf::Code::isa_l_rs_cauchy, 4, 2}, 3, 1024));
}

TEST(EngineFlow, EachWorkRunsAsOftenAsItsDigestsSay) {
    std::vector<std::uint64_t> slab(3 * source_bytes_max / 8);
    auto* bytes = reinterpret_cast<std::uint8_t*>(slab.data());
    const auto shape = make_shape(schemes()[0], 2, 1037);
    std::vector<bench::Work> works;
    for (std::size_t i = 0; i < 3; ++i) {
        std::uint8_t* part = bytes + i * source_bytes_max;
        works.push_back(lay_out(shape->rows, shape->coefficients, {}, source_bytes_max / 2, part,
                                shape->bytes, i, true));
        Plain::write(part, works.back().expected);
    }
    kernels::Limits limits;
    limits.batches_in_flight = 3;
    kernels::CpuEngine engine(limits);
    Flow flow;
    ASSERT_TRUE(run_flow(engine, works, kernels::Memory::mapped, 4, flow).ok());
    EXPECT_GT(flow.seconds, 0);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(Plain::first_difference(bytes + i * source_bytes_max, works[i].expected),
                  works[i].expected.size());
        EXPECT_TRUE(digests_are_right(works[i], 4));
        EXPECT_FALSE(digests_are_right(works[i], 3));
    }
}

TYPED_TEST(Work, SeedsMakeDifferentBytes) {
    const Case value = {gf::Code::liberasurecode_rs_vand, 10, 4, 1, 1024};
    std::vector<std::uint64_t> slab(2 * source_bytes_max / 8);
    auto* bytes = reinterpret_cast<std::uint8_t*>(slab.data());
    const gf::Matrix coefficients = rows_of(value);
    const auto rows = kernels::Rows::make(coefficients).value();
    bench::Work work =
        lay_out(rows, coefficients, {}, source_bytes_max, bytes, value.bytes, 3, false);
    TypeParam::write(bytes, work.expected);
    ASSERT_TRUE(this->run(work));
    work.expected.pattern.seed = 4;
    EXPECT_LT(TypeParam::first_difference(bytes, work.expected), 8u);
}

}  // namespace
}  // namespace fragmend::bench
