// The codec against the installed liberasurecode: every byte of every fragment, header included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>

#include "host/codec/library.hpp"
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

using testing::ElementsAreArray;

struct Case {
    const char* ec_type;
    int k;
    int m;
};

void PrintTo(const Case& value, std::ostream* out) {
    *out << value.ec_type << ' ' << value.k << '+' << value.m;
}

EcScheme scheme_of(const Case& value) {
    return {value.ec_type, value.k, value.m};
}

/// Segment lengths around every boundary of the cut in words and in fragments.
std::vector<std::size_t> lengths(const BackEnd& back_end, int k) {
    const std::size_t unit = back_end.unit_bytes;
    const std::size_t row = unit * static_cast<std::size_t>(k);
    std::vector<std::size_t> all = {1,       unit,        unit + 1,     row - 1,    row,
                                    row + 1, 2 * row - 1, 63 * row + 1, 257 * unit, 8 * row};
    std::erase(all, 0u);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

/// Calls `visit` with each of the `size`-element subsets of [0, n), or with random ones when there
/// are more than `visits_max`.
void for_each_subset(int n, int size, std::size_t visits_max, std::mt19937_64& random,
                     const std::function<void(const Indexes&)>& visit) {
    Indexes chosen(static_cast<std::size_t>(size));
    double count = 1;
    for (int i = 0; i < size; ++i) {
        count = count * (n - i) / (i + 1);
    }
    if (count > static_cast<double>(visits_max)) {
        Indexes all(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < visits_max; ++i) {
            std::iota(all.begin(), all.end(), std::uint8_t{0});
            std::ranges::shuffle(all, random);
            std::ranges::copy_n(all.begin(), size, chosen.begin());
            visit(chosen);
        }
        return;
    }
    for (std::uint32_t set = 0; set < (1u << n); ++set) {
        if (std::popcount(set) != size) continue;
        std::size_t at = 0;
        for (std::uint8_t i = 0; i < n; ++i) {
            if ((set >> i) & 1u) chosen[at++] = i;
        }
        visit(chosen);
    }
}

class LibraryEquality : public testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        Result<LibraryInstance> created = LibraryInstance::create(scheme);
        if (!created) GTEST_SKIP() << created.error().detail;
        library.emplace(*created);
    }
    Fragments encode(std::size_t bytes) {
        return library->encode(random_bytes(bytes, random)).value();
    }

    const EcScheme scheme = scheme_of(GetParam());
    const BackEnd& back_end = *find_back_end(scheme.ec_type).value();
    std::mt19937_64 random{test_seed()};
    std::optional<LibraryInstance> library;
    CpuCodec codec;
};

TEST_P(LibraryEquality, PassesItsOwnCheck) {
    const Result<void> checked = codec.check(scheme);
    EXPECT_TRUE(checked) << checked.error().detail;
}

TEST_P(LibraryEquality, FragmentLengths) {
    for (std::size_t bytes : lengths(back_end, scheme.k)) {
        EXPECT_EQ(codec.fragment_bytes(scheme, bytes), encode(bytes).front().size()) << bytes;
    }
}

TEST_P(LibraryEquality, EveryWantedFragmentAtEveryLength) {
    for (std::size_t bytes : lengths(back_end, scheme.k)) {
        const Fragments fragments = encode(bytes);
        Indexes all(fragments.size());
        std::iota(all.begin(), all.end(), std::uint8_t{0});
        for (std::uint8_t wanted : all) {
            std::ranges::shuffle(all, random);
            const auto survivors = codec.choose_survivors(scheme, all, wanted);
            ASSERT_TRUE(survivors);
            OneRebuild rebuild(codec.plan(scheme, *survivors, wanted).value(), fragments);
            rebuild.run(codec);
            ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
            ASSERT_EQ(rebuild.output, fragments[wanted])
                << "wanted " << int{wanted} << ", " << bytes << " bytes";
        }
    }
}

/// Every set of k survivors, every fragment outside it: where the set determines the fragment we
/// give the true bytes (and the library does, but for the flat XOR codes), elsewhere we refuse.
TEST_P(LibraryEquality, EveryErasurePattern) {
    const std::size_t bytes = static_cast<std::size_t>(scheme.k) * back_end.unit_bytes * 3 - 1;
    const Fragments fragments = encode(bytes);
    std::size_t rebuilt = 0;
    std::size_t refused = 0;
    for_each_subset(scheme.n(), scheme.k, 1001, random, [&](const Indexes& available) {
        for (std::uint8_t wanted = 0; wanted < scheme.n(); ++wanted) {
            if (std::ranges::find(available, wanted) != available.end()) continue;
            const auto survivors = codec.choose_survivors(scheme, available, wanted);
            if (!survivors) {
                ++refused;
                EXPECT_EQ(codec.plan(scheme, available, wanted).error().code, errc::singular);
                continue;
            }
            OneRebuild rebuild(codec.plan(scheme, *survivors, wanted).value(), fragments);
            rebuild.run(codec);
            ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
            ASSERT_EQ(rebuild.output, fragments[wanted]) << int{wanted};
            ++rebuilt;
            if (back_end.id == 3 || rebuilt % 7 != 0) continue;
            std::vector<ByteView> views;
            for (std::uint8_t index : available) {
                views.emplace_back(fragments[index]);
            }
            std::vector<std::byte> theirs(fragments[wanted].size());
            // isa_l_rs_vand may need all k rows where one of ours is enough; then it says so.
            if (library->reconstruct(views, wanted, theirs)) {
                ASSERT_EQ(theirs, rebuild.output);
            }
        }
    });
    EXPECT_GT(rebuilt, 0u);
    if (gf::any_k_suffice(back_end.code)) {
        EXPECT_EQ(refused, 0u);
    }
    RecordProperty("rebuilt", static_cast<int>(rebuilt));
    RecordProperty("refused", static_cast<int>(refused));
    std::cout << to_string(scheme) << ": " << rebuilt << " rebuilt, " << refused << " refused\n";
}

/// Both ways of decoding, over sampled sets of survivors: the same bytes, and what the library
/// itself cannot do is refused when the plan is made.
TEST_P(LibraryEquality, ReferenceCodec) {
    CpuCodec reference({.decoder = Decoder::library});
    const Result<void> checked = reference.check(scheme);
    ASSERT_TRUE(checked) << checked.error().detail;
    const std::size_t bytes = static_cast<std::size_t>(scheme.k) * back_end.unit_bytes * 5 - 1;
    const Fragments fragments = encode(bytes);
    std::size_t compared = 0;
    for_each_subset(scheme.n(), scheme.k, 25, random, [&](Indexes available) {
        std::ranges::shuffle(available, random);
        for (std::uint8_t wanted = 0; wanted < scheme.n(); ++wanted) {
            if (std::ranges::find(available, wanted) != available.end()) continue;
            const auto survivors = reference.choose_survivors(scheme, available, wanted);
            const auto ours = codec.choose_survivors(scheme, available, wanted);
            // isa_l_rs_vand: some fragments follow from sets that the library cannot invert.
            if (gf::any_k_suffice(back_end.code)) {
                ASSERT_EQ(survivors, ours);
            }
            if (!survivors) continue;
            ASSERT_TRUE(ours);
            OneRebuild theirs(reference.plan(scheme, *survivors, wanted).value(), fragments);
            theirs.run(reference);
            ASSERT_FALSE(theirs.item.error) << theirs.item.error->detail;
            OneRebuild rebuild(codec.plan(scheme, *ours, wanted).value(), fragments);
            rebuild.run(codec);
            ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
            ASSERT_EQ(theirs.output, rebuild.output);
            ASSERT_EQ(theirs.output, fragments[wanted]);
            ++compared;
        }
    });
    EXPECT_GT(compared, 0u);
}

TEST_P(LibraryEquality, FullSegment) {
    const Fragments fragments = encode(1048576);
    Indexes all(fragments.size());
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    for (const std::uint8_t wanted : {std::uint8_t{0}, static_cast<std::uint8_t>(scheme.k)}) {
        // From the end, so that data fragments do not make it easy.
        const Indexes backwards(all.rbegin(), all.rend());
        const auto survivors = codec.choose_survivors(scheme, backwards, wanted);
        ASSERT_TRUE(survivors);
        OneRebuild rebuild(codec.plan(scheme, *survivors, wanted).value(), fragments);
        rebuild.run(codec);
        ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
        EXPECT_TRUE(rebuild.output == fragments[wanted]);
    }
}

TEST_P(LibraryEquality, LegacyCrc) {
    ASSERT_EQ(setenv("LIBERASURECODE_WRITE_LEGACY_CRC", "1", 1), 0);
    CpuCodec legacy({.crc_form = crc_form_of_environment()});
    const Fragments fragments = encode(1000);
    ASSERT_EQ(unsetenv("LIBERASURECODE_WRITE_LEGACY_CRC"), 0);
    Indexes all(fragments.size());
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    const auto survivors = codec.choose_survivors(scheme, all, 1);
    ASSERT_TRUE(survivors);
    OneRebuild rebuild(legacy.plan(scheme, *survivors, 1).value(), fragments);
    rebuild.run(legacy);
    ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
    EXPECT_EQ(rebuild.output, fragments[1]);
    rebuild.run(codec);
    ASSERT_FALSE(rebuild.item.error);
    EXPECT_NE(rebuild.output, fragments[1]);
}

constexpr Case cases[] = {
    {"liberasurecode_rs_vand", 1, 1},  {"liberasurecode_rs_vand", 2, 1},
    {"liberasurecode_rs_vand", 3, 2},  {"liberasurecode_rs_vand", 4, 2},
    {"liberasurecode_rs_vand", 8, 4},  {"liberasurecode_rs_vand", 10, 4},
    {"liberasurecode_rs_vand", 10, 6}, {"liberasurecode_rs_vand", 20, 12},
    {"jerasure_rs_vand", 2, 1},        {"jerasure_rs_vand", 4, 2},
    {"jerasure_rs_vand", 8, 4},        {"jerasure_rs_vand", 10, 4},
    {"jerasure_rs_vand", 10, 6},       {"jerasure_rs_cauchy", 2, 1},
    {"jerasure_rs_cauchy", 4, 2},      {"jerasure_rs_cauchy", 8, 4},
    {"jerasure_rs_cauchy", 10, 4},     {"jerasure_rs_cauchy", 10, 6},
    {"isa_l_rs_vand", 2, 1},           {"isa_l_rs_vand", 4, 2},
    {"isa_l_rs_vand", 8, 4},           {"isa_l_rs_vand", 10, 4},
    {"isa_l_rs_vand", 10, 6},          {"isa_l_rs_cauchy", 1, 1},
    {"isa_l_rs_cauchy", 4, 2},         {"isa_l_rs_cauchy", 8, 4},
    {"isa_l_rs_cauchy", 10, 4},        {"isa_l_rs_cauchy", 10, 6},
    {"isa_l_rs_cauchy", 24, 8},        {"isa_l_rs_vand_inv", 4, 2},
    {"isa_l_rs_vand_inv", 10, 4},      {"flat_xor_hd", 5, 5},
    {"flat_xor_hd_3", 3, 3},           {"flat_xor_hd_3", 10, 5},
    {"flat_xor_hd_3", 15, 6},          {"flat_xor_hd_4", 5, 5},
    {"flat_xor_hd_4", 10, 5},          {"flat_xor_hd_4", 12, 6},
    {"flat_xor_hd_4", 20, 6},
};

INSTANTIATE_TEST_SUITE_P(Schemes, LibraryEquality, testing::ValuesIn(cases), [](const auto& test) {
    return std::string(test.param.ec_type) + "_" + std::to_string(test.param.k) + "_" +
           std::to_string(test.param.m);
});

}  // namespace
}  // namespace fragmend::codec
