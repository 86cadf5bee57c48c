// Every loss of every common policy, three ways: CPU, a device's threads, and liberasurecode.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "host/codec/hybrid_codec.hpp"
#include "host/codec/library.hpp"
#include "kernels/api/cpu_engine.hpp"
#include "kernels/api/devices.hpp"
#include "kernels/gf/matrix.hpp"
#include "tests/host/codec/damage.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Each instance of liberasurecode_rs_vand replaces the library's tables and leaves the former ones.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:rs_galois_init_tables\n";
}
#endif

namespace fragmend::codec {
namespace {

struct Case {
    const char* ec_type;
    int k;
    int m;
};

void PrintTo(const Case& value, std::ostream* out) {
    *out << value.ec_type << ' ' << value.k << '+' << value.m;
}

/// Patterns of each case that a sample takes.
constexpr std::size_t sample = 40;
constexpr std::size_t all = ~std::size_t{0};

/// Calls `visit` with each set of 1 to `lost_max` of n indexes, or with some of them.
void for_each_loss(int n, int lost_max, std::size_t visits, std::mt19937_64& random,
                   const std::function<void(const Indexes&)>& visit) {
    if (visits != all) {
        Indexes order(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < visits; ++i) {
            std::iota(order.begin(), order.end(), std::uint8_t{0});
            std::ranges::shuffle(order, random);
            Indexes lost(order.begin(), order.begin() + 1 +
                                            static_cast<std::ptrdiff_t>(
                                                random() % static_cast<std::size_t>(lost_max)));
            std::ranges::sort(lost);
            visit(lost);
        }
        return;
    }
    Indexes lost;
    const std::function<void(std::uint8_t)> grow = [&](std::uint8_t first) {
        if (!lost.empty()) visit(lost);
        if (lost.size() == static_cast<std::size_t>(lost_max)) return;
        for (std::uint8_t next = first; next < n; ++next) {
            lost.push_back(next);
            grow(static_cast<std::uint8_t>(next + 1));
            lost.pop_back();
        }
    };
    grow(0);
}

/// Rebuilds fragments on the CPU with each kind of instructions, and by a device's steps.
class ThreeWays {
  public:
    ThreeWays() : device_(options(), {source()}, clock_) {
        for (const DotKernels* kernels : available_kernels()) {
            CpuCodecOptions with;
            with.dot_kernels = kernels;
            cpus_.push_back(std::make_unique<CpuCodec>(with));
        }
    }

    /// Whole fragments against `whole[wanted]`.
    void expect(const EcScheme& scheme, const Indexes& survivors, std::uint8_t wanted,
                const Fragments& whole) {
        expect_all(scheme, survivors, Indexes{wanted}, whole);
    }
    /// All of `wanted` in one item.
    void expect_all(const EcScheme& scheme, const Indexes& survivors, const Indexes& wanted,
                    const Fragments& whole) {
        for (const auto& cpu : cpus_) {
            OneRebuild rebuild(cpu->plan(scheme, survivors, wanted).value(), whole);
            rebuild.run(*cpu);
            expect_whole(rebuild, wanted, whole);
        }
        OneRebuild rebuild(device_.plan(scheme, survivors, wanted).value(), whole);
        scheduler::SegmentWork* batch[] = {&rebuild.item};
        device_.run(batch);
        expect_whole(rebuild, wanted, whole);
        if (wanted.size() <= kernels::outputs_max) ++for_device;
        rebuilt += wanted.size();
    }
    CpuCodec& cpu() { return *cpus_.back(); }
    std::uint64_t on_device() const { return device_.status()[0].items; }
    std::string device_name() const { return device_.status()[0].name; }

    std::uint64_t rebuilt = 0;
    std::uint64_t for_device = 0;  ///< Items that a device can do.

  private:
    static void expect_whole(const OneRebuild& rebuild, const Indexes& wanted,
                             const Fragments& whole) {
        ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
        for (std::size_t o = 0; o < wanted.size(); ++o)
            ASSERT_TRUE(rebuild.outputs[o] == whole[wanted[o]]);
    }
    static kernels::Limits limits() {
        kernels::Limits limits;
        limits.batches_in_flight = 1;
        limits.batch_items_max = limits.batch_outputs_max = 64;
        limits.batch_sources_max = 1024;
        limits.batch_rows_max = 128;
        limits.batch_input_bytes_max = 4 << 20;
        limits.batch_output_bytes_max = 1 << 20;
        return limits;
    }
    static HybridOptions options() {
        HybridOptions options;
        options.route = RoutePolicy::device_first;
        options.calibrate = false;
        options.limits = limits();
        return options;
    }
    /// The emulation, or this machine's first device with FRAGMEND_TEST_DEVICE=1.
    static DeviceSource source() {
        if (device_wanted()) {
            return {"GPU 0", [](std::unique_ptr<kernels::Engine>& engine) {
                        return kernels::make_engine(0, limits(), engine);
                    }};
        }
        return {"emulation", [](std::unique_ptr<kernels::Engine>& engine) {
                    engine = std::make_unique<kernels::CpuEngine>(limits());
                    return kernels::Status();
                }};
    }
    static bool device_wanted() {
        const char* text = std::getenv("FRAGMEND_TEST_DEVICE");
        return text != nullptr && text[0] == '1';
    }
    SystemClock clock_;
    HybridCodec device_;
    std::vector<std::unique_ptr<CpuCodec>> cpus_;
};

class Exhaustive : public testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        Result<LibraryInstance> created = LibraryInstance::create(scheme);
        if (!created) GTEST_SKIP() << created.error().detail;
        library.emplace(*created);
    }

    const EcScheme scheme{GetParam().ec_type, GetParam().k, GetParam().m};
    const BackEnd& back_end = *find_back_end(scheme.ec_type).value();
    std::mt19937_64 random{test_seed()};
    std::optional<LibraryInstance> library;
};

TEST_P(Exhaustive, EveryLossEveryWantedFragment) {
    const std::size_t row = back_end.unit_bytes * static_cast<std::size_t>(scheme.k);
    const std::size_t rows = back_end.unit_bytes > 16 ? 1 : 34 / back_end.unit_bytes;
    const Fragments whole = library->encode(random_bytes(rows * row - 1, random)).value();
    const bool flat = gf::field(back_end.code) == gf::Field::gf2;
    const int lost_max = flat ? back_end.hd - 1 : scheme.m;
    ThreeWays ways;
    std::uint64_t patterns = 0;
    std::uint64_t compared = 0;
    std::vector<std::byte> theirs(whole[0].size());
    for_each_loss(scheme.n(), lost_max, sampled(all, sample), random, [&](const Indexes& lost) {
        if (HasFatalFailure()) return;
        ++patterns;
        Indexes available;
        for (std::uint8_t i = 0; i < scheme.n(); ++i) {
            if (!std::ranges::binary_search(lost, i)) available.push_back(i);
        }
        for (std::uint8_t wanted : lost) {
            const auto survivors = ways.cpu().choose_survivors(scheme, available, wanted);
            ASSERT_TRUE(survivors);
            ways.expect(scheme, *survivors, wanted, whole);
            if (HasFatalFailure()) return;
            // The library is right about flat codes only where it has everything that is left.
            std::vector<ByteView> views;
            for (std::uint8_t index : flat ? available : *survivors) {
                views.emplace_back(whole[index]);
            }
            const auto answer = library->reconstruct(views, wanted, theirs);
            // isa_l_rs_vand: a fragment may follow from fewer rows than the library insists on.
            if (survivors->size() < static_cast<std::size_t>(scheme.k) && !answer) continue;
            ASSERT_TRUE(answer) << answer.error().detail;
            ASSERT_TRUE(theirs == whole[wanted]);
            ++compared;
        }
        if (lost.size() == 1) return;
        // Everything that is lost from one reading of the same survivors.
        if (!flat) available.resize(static_cast<std::size_t>(scheme.k));
        ways.expect_all(scheme, available, lost, whole);
    });
    EXPECT_EQ(ways.on_device(), ways.for_device) << "what fell back to the CPU proves nothing";
    std::cout << to_string(scheme) << ": " << patterns << " losses, " << ways.rebuilt
              << " fragments on " << available_kernels().size() << " kinds of CPU loops and "
              << ways.device_name() << ", " << compared << " by liberasurecode\n";
}

/// Jerasure's GF(2^4) has elements for k + m <= 16 only.
constexpr Case cases[] = {
    {"isa_l_rs_cauchy", 4, 2},         {"isa_l_rs_cauchy", 6, 3},
    {"isa_l_rs_cauchy", 8, 3},         {"isa_l_rs_cauchy", 8, 4},
    {"isa_l_rs_cauchy", 10, 4},        {"isa_l_rs_cauchy", 12, 4},
    {"isa_l_rs_cauchy", 15, 4},        {"isa_l_rs_cauchy", 16, 4},
    {"isa_l_rs_cauchy", 20, 4},        {"isa_l_rs_cauchy", 10, 6},
    {"isa_l_rs_vand", 4, 2},           {"isa_l_rs_vand", 6, 3},
    {"isa_l_rs_vand", 8, 3},           {"isa_l_rs_vand", 8, 4},
    {"isa_l_rs_vand", 10, 4},          {"isa_l_rs_vand", 12, 4},
    {"isa_l_rs_vand", 15, 4},          {"isa_l_rs_vand", 16, 4},
    {"isa_l_rs_vand", 20, 4},          {"jerasure_rs_vand", 4, 2},
    {"jerasure_rs_vand", 6, 3},        {"jerasure_rs_vand", 8, 3},
    {"jerasure_rs_vand", 8, 4},        {"jerasure_rs_vand", 10, 4},
    {"jerasure_rs_vand", 12, 4},       {"jerasure_rs_vand", 15, 4},
    {"jerasure_rs_vand", 16, 4},       {"jerasure_rs_vand", 20, 4},
    {"liberasurecode_rs_vand", 4, 2},  {"liberasurecode_rs_vand", 6, 3},
    {"liberasurecode_rs_vand", 8, 3},  {"liberasurecode_rs_vand", 8, 4},
    {"liberasurecode_rs_vand", 10, 4}, {"liberasurecode_rs_vand", 12, 4},
    {"liberasurecode_rs_vand", 15, 4}, {"liberasurecode_rs_vand", 16, 4},
    {"liberasurecode_rs_vand", 20, 4}, {"jerasure_rs_cauchy", 4, 2},
    {"jerasure_rs_cauchy", 6, 3},      {"jerasure_rs_cauchy", 8, 3},
    {"jerasure_rs_cauchy", 8, 4},      {"jerasure_rs_cauchy", 10, 4},
    {"jerasure_rs_cauchy", 10, 6},     {"jerasure_rs_cauchy", 12, 4},
    {"flat_xor_hd_3", 5, 5},           {"flat_xor_hd_3", 10, 5},
    {"flat_xor_hd_3", 15, 6},          {"flat_xor_hd_4", 5, 5},
    {"flat_xor_hd_4", 10, 5},          {"flat_xor_hd_4", 12, 6},
    {"flat_xor_hd_4", 20, 6},
};

INSTANTIATE_TEST_SUITE_P(Policies, Exhaustive, testing::ValuesIn(cases), [](const auto& test) {
    return std::string(test.param.ec_type) + "_" + std::to_string(test.param.k) + "_" +
           std::to_string(test.param.m);
});

/// Lengths around every boundary, every misalignment of sources and output, guards around both.
TEST(ExhaustiveLengths, WholeFragmentsAtAnyAddress) {
    std::mt19937_64 random(test_seed());
    ThreeWays ways;
    std::uint64_t fragments = 0;
    for (const auto& [ec_type, k, m] : {Case{"isa_l_rs_cauchy", 4, 2},
                                        {"isa_l_rs_vand", 10, 4},
                                        {"jerasure_rs_vand", 4, 2},
                                        {"liberasurecode_rs_vand", 10, 4},
                                        {"jerasure_rs_cauchy", 4, 2},
                                        {"flat_xor_hd_3", 5, 5}}) {
        const EcScheme scheme{ec_type, k, m};
        const auto library = LibraryInstance::create(scheme);
        if (!library) continue;
        const std::size_t parts = static_cast<std::size_t>(k);
        for (const std::size_t length :
             {1, 15, 16, 17, 79, 80, 81, 4095, 4096, 4097, 65535, 65536, 65537}) {
            // As a segment, and as a fragment's payload.
            for (const std::size_t bytes : {length, length * parts}) {
                const Fragments whole = library->encode(random_bytes(bytes, random)).value();
                const auto wanted = static_cast<std::uint8_t>(random() % whole.size());
                Indexes available(whole.size());
                std::iota(available.begin(), available.end(), std::uint8_t{0});
                std::ranges::shuffle(available, random);
                const auto survivors =
                    ways.cpu().choose_survivors(scheme, available, wanted).value();
                ways.expect(scheme, survivors, wanted, whole);
                const std::size_t steps = sampled(1, 5);
                for (std::size_t shift = random() % steps; shift < 16; shift += steps) {
                    constexpr std::size_t guard = 64;
                    const std::size_t size = whole[0].size();
                    std::vector<std::vector<std::byte>> shifted;
                    OneRebuild rebuild(ways.cpu().plan(scheme, survivors, wanted).value(), whole);
                    for (std::size_t j = 0; j < survivors.size(); ++j) {
                        auto& copy = shifted.emplace_back(size + 32);
                        const std::size_t own = (shift + j * (length % 3)) % 16;
                        std::ranges::copy(whole[survivors[j]],
                                          copy.begin() + static_cast<std::ptrdiff_t>(own));
                        rebuild.survivors[j] = ByteView(copy).subspan(own, size);
                    }
                    std::vector<std::byte> room(2 * guard + size + 16, std::byte{0x5a});
                    rebuild.into[0] = ByteSpan(room).subspan(guard + shift, size);
                    rebuild.run(ways.cpu());
                    ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
                    ASSERT_TRUE(std::ranges::equal(rebuild.into[0], whole[wanted]));
                    for (std::size_t i = 0; i < room.size(); ++i) {
                        if (i >= guard + shift && i < guard + shift + size) continue;
                        ASSERT_EQ(room[i], std::byte{0x5a}) << "outside, at " << i;
                    }
                    ++fragments;
                }
                if (HasFatalFailure()) return;
            }
        }
    }
    std::cout << fragments << " misaligned, " << ways.rebuilt << " three ways\n";
}

/// isa_l_rs_vand is not MDS from m = 5 on: each set of k that determines nothing is known as such,
/// and what is decoded from a singular set all the same is right.
TEST(SingularSets, OfIsalVandermondeAreAllReported) {
    std::mt19937_64 random(test_seed());
    for (const auto& [k, m] : {std::pair{8, 5}, {10, 5}, {10, 6}, {12, 5}}) {
        const EcScheme scheme{"isa_l_rs_vand", k, m};
        const auto library = LibraryInstance::create(scheme);
        if (!library) GTEST_SKIP() << library.error().detail;
        const gf::Matrix generator = gf::generator(gf::Code::isa_l_rs_vand, k, m).value();
        const Fragments whole =
            library->encode(random_bytes(static_cast<std::size_t>(k) * 20, random)).value();
        CpuCodec cpu;
        std::size_t sets = 0;
        std::size_t singular = 0;
        std::size_t refused = 0;
        std::size_t wrongly_given = 0;
        std::vector<std::byte> theirs(whole[0].size());
        for_each_loss(scheme.n(), m, sampled(all, 2000), random, [&](const Indexes& lost) {
            if (lost.size() != static_cast<std::size_t>(m)) return;
            ++sets;
            Indexes survivors;
            gf::Matrix square(gf::Field::gf8, static_cast<std::size_t>(k),
                              static_cast<std::size_t>(k));
            for (std::uint8_t i = 0; i < scheme.n(); ++i) {
                if (std::ranges::binary_search(lost, i)) continue;
                std::ranges::copy(generator.row(i), square.row(survivors.size()).begin());
                survivors.push_back(i);
            }
            const bool invertible = gf::inverse(square).has_value();
            if (!invertible) ++singular;
            for (std::uint8_t wanted : lost) {
                const auto plan = cpu.plan(scheme, survivors, wanted);
                if (!plan) {
                    ASSERT_FALSE(invertible);
                    ASSERT_EQ(plan.error().code, errc::singular);
                    ASSERT_FALSE(cpu.choose_survivors(scheme, survivors, wanted));
                    ++refused;
                } else {
                    OneRebuild rebuild(*plan, whole);
                    rebuild.run(cpu);
                    ASSERT_FALSE(rebuild.item.error);
                    ASSERT_TRUE(rebuild.output == whole[wanted]);
                }
                if (invertible) continue;
                std::vector<ByteView> views;
                for (std::uint8_t index : survivors)
                    views.emplace_back(whole[index]);
                if (library->reconstruct(views, wanted, theirs) && theirs != whole[wanted]) {
                    ++wrongly_given;
                }
            }
        });
        std::cout << to_string(scheme) << ": " << singular << " of " << sets
                  << " sets are singular, " << refused << " fragments refused; liberasurecode gave "
                  << wrongly_given << " of them wrong\n";
        if (sampled(1, 0) == 1) {
            EXPECT_GT(singular, 0u);
        }
    }
}

}  // namespace
}  // namespace fragmend::codec
