// How the codec behaves: what it chooses, what it refuses and whom it names.
#include "host/codec/cpu_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <thread>

#include "tests/host/codec/damage.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const EcScheme cauchy{"isa_l_rs_cauchy", 4, 2};
const EcScheme vandermonde{"liberasurecode_rs_vand", 4, 2};

class CpuCodecRefuses : public testing::Test {
  protected:
    /// Spoils survivor 2 (fragment 3) and expects to hear its name.
    void expect_culprit(const std::function<void(std::vector<std::byte>&)>& spoil,
                        const std::string& words) {
        Fragments fragments = whole;
        spoil(fragments[3]);
        OneRebuild rebuild(codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value(), whole);
        rebuild.survivors[2] = fragments[3];
        rebuild.run(codec);
        ASSERT_TRUE(rebuild.item.error) << words;
        EXPECT_EQ(rebuild.item.error->code, errc::bad_fragment);
        EXPECT_EQ(rebuild.item.culprit, 2);
        EXPECT_THAT(rebuild.item.error->detail, HasSubstr("fragment 3: "));
        EXPECT_THAT(rebuild.item.error->detail, HasSubstr(words));
    }
    void expect_culprit_header(const std::function<void(FragmentHeader&)>& change,
                               const std::string& words) {
        expect_culprit(
            [&](std::vector<std::byte>& fragment) {
                FragmentHeader header = parse_fragment_header(fragment).value();
                change(header);
                write_fragment_header(header, CrcForm::standard,
                                      std::span(fragment).first<fragment_header_bytes>());
            },
            words);
    }

    CpuCodec codec;
    std::mt19937_64 random{test_seed()};
    const Fragments whole = encode(codec, cauchy, 1000, random);
};

TEST_F(CpuCodecRefuses, HeadersThatDoNotFit) {
    expect_culprit([](auto& fragment) { fragment.pop_back(); }, "not as long");
    expect_culprit([](auto& fragment) { fragment.push_back({}); }, "not as long");
    expect_culprit([](auto& fragment) { fragment.resize(79); }, "not as long");
    expect_culprit([](auto& fragment) { fragment[5] ^= std::byte{1}; }, "wrong CRC");
    expect_culprit([](auto& fragment) { fragment[60] ^= std::byte{1}; }, "magic");
    expect_culprit([](auto& fragment) { std::ranges::fill(fragment, std::byte{0}); }, "magic");
    expect_culprit_header([](auto& header) { header.index = 2; }, "another index");
    expect_culprit_header([](auto& header) { header.index = 0; }, "another index");
    expect_culprit_header([](auto& header) { header.index = 0x10003; }, "another index");
    expect_culprit_header([](auto& header) { header.backend_id = 4; }, "another erasure code");
    expect_culprit_header([](auto& header) { header.backend_metadata_bytes = 4; }, "metadata");
    expect_culprit_header([](auto& header) { header.payload_bytes -= 1; }, "another length");
    expect_culprit_header([](auto& header) { header.segment_bytes = 0; }, "does not fit");
    expect_culprit_header([](auto& header) { header.segment_bytes = 1001; }, "does not fit");
    expect_culprit_header([](auto& header) { header.segment_bytes = ~0ull; }, "does not fit");
    expect_culprit_header([](auto& header) { header.segment_bytes = 999; }, "another length");
    expect_culprit_header([](auto& header) { header.checksum_type = 2; }, "payload");
}

TEST_F(CpuCodecRefuses, TheOtherByteOrder) {
    expect_culprit(
        [](std::vector<std::byte>& fragment) {
            for (std::size_t at : {0, 4, 8, 55, 59, 63}) {
                std::reverse(fragment.begin() + static_cast<std::ptrdiff_t>(at),
                             fragment.begin() + static_cast<std::ptrdiff_t>(at + 4));
            }
            std::reverse(fragment.begin() + 12, fragment.begin() + 20);
            const std::uint32_t crc =
                __builtin_bswap32(header_crc(ByteView(fragment).first(59), CrcForm::standard));
            std::memcpy(fragment.data() + 67, &crc, 4);
        },
        "other byte order");
}

TEST_F(CpuCodecRefuses, TheOneThatDisagreesWithTheOthersAboutTheSegment) {
    Fragments fragments = whole;
    FragmentHeader header = parse_fragment_header(fragments[0]).value();
    header.segment_bytes = 998;
    write_fragment_header(header, CrcForm::standard,
                          std::span(fragments[0]).first<fragment_header_bytes>());
    OneRebuild rebuild(codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value(), fragments);
    rebuild.run(codec);
    ASSERT_TRUE(rebuild.item.error);
    EXPECT_EQ(rebuild.item.culprit, 0) << "three of four say otherwise";
}

TEST_F(CpuCodecRefuses, WithoutTouchingOtherItems) {
    Fragments spoiled = whole;
    spoiled[1][7] ^= std::byte{0x40};
    OneRebuild good(codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value(), whole);
    OneRebuild bad(codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value(), spoiled);
    OneRebuild other(codec.plan(cauchy, Indexes{5, 4, 3, 2}, 0).value(), whole);
    scheduler::SegmentWork* batch[] = {&good.item, &bad.item, &other.item};
    codec.run(batch);
    EXPECT_FALSE(good.item.error);
    EXPECT_EQ(good.output, whole[2]);
    EXPECT_TRUE(bad.item.error);
    EXPECT_EQ(bad.item.culprit, 1);
    EXPECT_FALSE(other.item.error);
    EXPECT_EQ(other.output, whole[0]);

    // An item that failed once is as good as new with good bytes.
    bad.survivors[1] = whole[1];
    bad.run(codec);
    EXPECT_FALSE(bad.item.error);
    EXPECT_EQ(bad.item.culprit, -1);
    EXPECT_EQ(bad.output, whole[2]);
}

/// After a good item the thread knows the header by heart; the lengths must count all the same.
TEST_F(CpuCodecRefuses, ALengthThatTheRememberedHeaderDoesNotHave) {
    const auto plan = codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value();
    for (const bool first : {true, false}) {
        OneRebuild good(plan, whole);
        good.run(codec);
        ASSERT_FALSE(good.item.error);
        for (const int change : {-1, 1}) {
            Fragments fragments = whole;
            auto& spoiled = fragments[first ? 0 : 4];
            spoiled.resize(static_cast<std::size_t>(static_cast<int>(spoiled.size()) + change));
            OneRebuild bad(plan, whole);
            bad.survivors[first ? 0 : 3] = spoiled;
            bad.run(codec);
            ASSERT_TRUE(bad.item.error);
            EXPECT_EQ(bad.item.culprit, first ? 0 : 3);
            EXPECT_THAT(bad.item.error->detail, HasSubstr("not as long"));
        }
        // All equally cut: the header does not fit what there is.
        Fragments cut = whole;
        for (auto& fragment : cut)
            fragment.pop_back();
        OneRebuild shorter(plan, cut);
        shorter.run(codec);
        ASSERT_TRUE(shorter.item.error);
        EXPECT_EQ(shorter.item.culprit, 0);
        EXPECT_THAT(shorter.item.error->detail, HasSubstr("another length"));
    }
}

TEST_F(CpuCodecRefuses, ToHearALengthFromADamagedHeader) {
    const auto header = std::span(whole[3]).first<fragment_header_bytes>();
    EXPECT_EQ(codec.announced_bytes(header), whole[3].size());
    EXPECT_EQ(codec.announced_bytes(header.first(79)), std::nullopt);
    constexpr std::size_t checked_bytes = 59;
    for (std::size_t at = 0; at < checked_bytes; ++at) {
        std::vector<std::byte> spoilt(header.begin(), header.end());
        spoilt[at] ^= std::byte{4};
        EXPECT_EQ(codec.announced_bytes(spoilt), std::nullopt) << "byte " << at;
    }
}

TEST_F(CpuCodecRefuses, WantedSetsThatAreNone) {
    for (const Indexes& wanted : {Indexes{}, Indexes{4, 4}, Indexes{4, 6}, Indexes{4, 3}}) {
        const auto plan = codec.plan(cauchy, Indexes{0, 1, 2, 3}, wanted);
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, errc::singular);
    }
}

TEST_F(CpuCodecRefuses, SurvivorSetsThatDetermineNothing) {
    for (const Indexes& survivors : {Indexes{0, 1, 3}, Indexes{}, Indexes{0, 1, 3, 2},
                                     Indexes{0, 1, 3, 3}, Indexes{0, 1, 3, 6}}) {
        const auto plan = codec.plan(cauchy, survivors, 2);
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, errc::singular);
    }
    EXPECT_FALSE(codec.plan(cauchy, Indexes{0, 1, 2, 3}, 6));
    EXPECT_EQ(codec.plan({"nonsense", 4, 2}, Indexes{0, 1, 2, 3}, 4).error().code,
              errc::unsupported_scheme);
    EXPECT_FALSE(codec.choose_survivors({"nonsense", 4, 2}, Indexes{0, 1, 2, 3}, 4));
    EXPECT_FALSE(codec.choose_survivors(cauchy, Indexes{0, 1, 2, 3}, 6));
}

/// Kernels that work, but for one flipped bit in their `faulty`-th run.
struct FaultyKernels {
    static inline int runs = 0;
    static inline int faulty = -1;

    static void gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count,
                    Bytes* output, std::size_t bytes) {
        portable_kernels.gf8(tables, inputs, count, output, bytes);
        if (runs++ == faulty) output[bytes / 2] ^= 4;
    }
};

TEST(CpuCodecCrossCheck, FindsAFaultInAnyPieceOfTheWork) {
    std::mt19937_64 random(test_seed());
    DotKernels kernels = portable_kernels;
    kernels.gf8 = FaultyKernels::gf8;
    CpuCodecOptions options;
    options.dot_kernels = &kernels;
    CpuCodec codec(options);
    CpuCodec sound;
    const Fragments whole = encode(sound, cauchy, 4 * 40000, random);
    FaultyKernels::faulty = -1;
    OneRebuild rebuild(codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value(), whole);
    FaultyKernels::runs = 0;
    rebuild.run(codec);
    ASSERT_FALSE(rebuild.item.error);
    ASSERT_EQ(rebuild.output, whole[2]);
    const int runs = FaultyKernels::runs;
    ASSERT_EQ(runs, 40) << "twenty pieces, each decoded and checked";
    for (int faulty = 0; faulty < runs; ++faulty) {
        FaultyKernels::runs = 0;
        FaultyKernels::faulty = faulty;
        rebuild.run(codec);
        ASSERT_TRUE(rebuild.item.error) << faulty;
        EXPECT_EQ(rebuild.item.error->code, errc::wrong_bytes);
        EXPECT_EQ(rebuild.item.culprit, -1);
    }
    FaultyKernels::faulty = -1;
}

/// Kernels of every field that spoil one byte of one of their outputs.
struct SpoilingKernels {
    static inline std::size_t runs = 0;
    static inline std::size_t faulty = 0;
    static inline std::uint64_t place = 0;
    static inline Bytes change = 0;

    static void spoil(Bytes* output, std::size_t bytes) {
        if (runs++ == faulty) output[place % bytes] ^= change;
    }
    static void gf2(const Bytes* const* inputs, std::size_t count, Bytes* output,
                    std::size_t bytes) {
        available_kernels().back()->gf2(inputs, count, output, bytes);
        spoil(output, bytes);
    }
    static void gf4(const gf::BitMatrix4* tables, const Bytes* const* inputs, std::size_t count,
                    Bytes* output, std::size_t bytes) {
        available_kernels().back()->gf4(tables, inputs, count, output, bytes);
        spoil(output, bytes);
    }
    static void gf8(const Gf8Table* tables, const Bytes* const* inputs, std::size_t count,
                    Bytes* output, std::size_t bytes) {
        available_kernels().back()->gf8(tables, inputs, count, output, bytes);
        spoil(output, bytes);
    }
    static void gf16(const Gf16Table* tables, const Bytes* const* inputs, std::size_t count,
                     Bytes* output, std::size_t bytes) {
        available_kernels().back()->gf16(tables, inputs, count, output, bytes);
        spoil(output, bytes);
    }
};

TEST(CpuCodecCrossCheck, FindsEverySingleWrongByteInEveryField) {
    std::mt19937_64 random(test_seed());
    const DotKernels kernels = {"spoiling", SpoilingKernels::gf2, SpoilingKernels::gf4,
                                SpoilingKernels::gf8, SpoilingKernels::gf16};
    CpuCodecOptions options;
    options.dot_kernels = &kernels;
    CpuCodec codec(options);
    CpuCodec sound;
    std::size_t injected = 0;
    for (const EcScheme& scheme :
         {cauchy, vandermonde, EcScheme{"isa_l_rs_vand", 10, 4}, EcScheme{"jerasure_rs_vand", 6, 3},
          EcScheme{"jerasure_rs_cauchy", 4, 2}, EcScheme{"flat_xor_hd_3", 10, 5}}) {
        const Fragments whole = encode(sound, scheme, 30000, random);
        Indexes available(whole.size());
        std::iota(available.begin(), available.end(), std::uint8_t{0});
        for (std::size_t turn = 0; turn < sampled(20'000, 500); ++turn) {
            std::ranges::shuffle(available, random);
            // Two from one reading, where any k others determine both.
            const bool two = turn % 2 == 1 && scheme.ec_type != "flat_xor_hd_3";
            const auto others = std::span(available).first(available.size() - (two ? 2 : 1));
            const auto survivors = codec.choose_survivors(scheme, others, available.back());
            const std::span<const std::uint8_t> wanted =
                std::span(available).subspan(others.size());
            OneRebuild rebuild(codec.plan(scheme, *survivors, wanted).value(), whole);
            SpoilingKernels::runs = 0;
            SpoilingKernels::faulty = ~std::size_t{0};
            rebuild.run(codec);
            ASSERT_FALSE(rebuild.item.error);
            SpoilingKernels::faulty = random() % SpoilingKernels::runs;
            SpoilingKernels::place = random();
            SpoilingKernels::change = static_cast<Bytes>(1 + random() % 255);
            SpoilingKernels::runs = 0;
            rebuild.run(codec);
            ASSERT_TRUE(rebuild.item.error) << to_string(scheme) << ", turn " << turn;
            ASSERT_EQ(rebuild.item.error->code, errc::wrong_bytes);
            ++injected;
        }
    }
    std::cout << injected << " compute faults, each found\n";
}

TEST(CpuCodecChoice, KeepsTheCallersPreference) {
    CpuCodec codec;
    EXPECT_THAT(codec.choose_survivors(cauchy, Indexes{5, 3, 0, 1, 4}, 2).value(),
                ElementsAre(5, 3, 0, 1));
    EXPECT_FALSE(codec.choose_survivors(cauchy, Indexes{5, 3, 0}, 2));
}

TEST(CpuCodecChoice, FlatXorReadsFewerThanK) {
    CpuCodec codec;
    const EcScheme flat{"flat_xor_hd_3", 10, 5};
    Indexes available(15);
    std::iota(available.begin(), available.end(), std::uint8_t{0});
    for (std::uint8_t wanted = 0; wanted < 15; ++wanted) {
        EXPECT_LT(codec.choose_survivors(flat, available, wanted).value().size(), 10u);
    }
}

TEST(CpuCodecDigests, AreThoseOfTheWholeArchives) {
    std::mt19937_64 random(test_seed());
    CpuCodec codec;
    // Several objects of several rounds each, in common batches, with lengths that leave tails.
    struct Object {
        std::vector<Fragments> rounds;
        std::unique_ptr<scheduler::SurvivorDigests> digests;
        std::vector<Md5> references = std::vector<Md5>(4);
    };
    std::vector<Object> objects(7);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        for (std::size_t round = 0; round < 3; ++round) {
            const std::size_t bytes = round == 2 ? 1 + 37 * i : 4000 + 4 * i;
            objects[i].rounds.push_back(encode(codec, cauchy, bytes, random));
        }
        objects[i].digests = codec.digests(4);
    }
    const auto plan = codec.plan(cauchy, Indexes{0, 1, 3, 4}, 2).value();
    for (std::size_t round = 0; round < 3; ++round) {
        std::vector<std::unique_ptr<OneRebuild>> rebuilds;
        std::vector<scheduler::SegmentWork*> batch;
        for (Object& object : objects) {
            rebuilds.push_back(std::make_unique<OneRebuild>(plan, object.rounds[round]));
            rebuilds.back()->item.digests = object.digests.get();
            batch.push_back(&rebuilds.back()->item);
            for (std::size_t j = 0; j < 4; ++j) {
                object.references[j].update(rebuilds.back()->survivors[j]);
            }
        }
        codec.run(batch);
        for (std::size_t i = 0; i < objects.size(); ++i) {
            EXPECT_FALSE(rebuilds[i]->item.error);
            EXPECT_EQ(rebuilds[i]->output, objects[i].rounds[round][2]);
        }
    }
    for (Object& object : objects) {
        for (std::size_t j = 0; j < 4; ++j) {
            EXPECT_EQ(object.digests->finish(j), object.references[j].finish());
        }
    }
}

TEST(CpuCodecThreads, ShareACodecAndItsPlans) {
    std::mt19937_64 random(test_seed());
    CpuCodec codec;
    const Fragments whole = encode(codec, vandermonde, 50000, random);
    std::vector<std::thread> threads;
    for (int t = 0; t < 32; ++t) {
        threads.emplace_back([&codec, &whole, t] {
            const auto wanted = static_cast<std::uint8_t>(t % 4);
            const Indexes backwards = {5, 4, 3, 2, 1, 0};
            const auto survivors = codec.choose_survivors(vandermonde, backwards, wanted).value();
            for (int i = 0; i < 20; ++i) {
                const auto digests = codec.digests(4);
                OneRebuild rebuild(codec.plan(vandermonde, survivors, wanted).value(), whole);
                rebuild.item.digests = digests.get();
                rebuild.run(codec);
                EXPECT_FALSE(rebuild.item.error);
                EXPECT_TRUE(rebuild.output == whole[wanted]);
                Md5 reference;
                reference.update(rebuild.survivors[0]);
                EXPECT_EQ(digests->finish(0), reference.finish());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

TEST(CpuCodecHeader, NamesTheConfiguredVersion) {
    std::mt19937_64 random(test_seed());
    CpuCodec installed;
    CpuCodecOptions options;
    options.library_version = 0x010500;
    CpuCodec older(options);
    const Fragments whole = encode(installed, vandermonde, 77, random);
    OneRebuild rebuild(older.plan(vandermonde, Indexes{0, 1, 3, 4}, 2).value(), whole);
    rebuild.run(older);
    EXPECT_EQ(parse_fragment_header(rebuild.output).value().library_version, 0x010500u);
    rebuild.run(installed);
    EXPECT_EQ(parse_fragment_header(rebuild.output).value().library_version, library_version());
}

TEST(CpuCodecKernels, AllGiveTheSameFragments) {
    std::mt19937_64 random(test_seed());
    CpuCodec codec;
    for (const EcScheme& scheme : {cauchy, vandermonde, EcScheme{"jerasure_rs_cauchy", 4, 2},
                                   EcScheme{"flat_xor_hd_4", 5, 5}}) {
        const Fragments whole = encode(codec, scheme, 100001, random);
        Indexes backwards(whole.size());
        std::iota(backwards.rbegin(), backwards.rend(), std::uint8_t{0});
        for (const DotKernels* kernels : available_kernels()) {
            CpuCodecOptions options;
            options.dot_kernels = kernels;
            CpuCodec own(options);
            const auto survivors = own.choose_survivors(scheme, backwards, 1).value();
            OneRebuild rebuild(own.plan(scheme, survivors, 1).value(), whole);
            rebuild.run(own);
            EXPECT_FALSE(rebuild.item.error);
            EXPECT_TRUE(rebuild.output == whole[1]) << kernels->name;
        }
    }
}

TEST(CpuCodecEnvironment, LegacyCrcAsTheLibraryReadsIt) {
    constexpr const char* name = "LIBERASURECODE_WRITE_LEGACY_CRC";
    unsetenv(name);
    EXPECT_EQ(crc_form_of_environment(), CrcForm::standard);
    for (const auto& [value, form] : {std::pair{"", CrcForm::standard},
                                      {"0", CrcForm::standard},
                                      {"1", CrcForm::legacy},
                                      {"00", CrcForm::legacy},
                                      {"false", CrcForm::legacy}}) {
        setenv(name, value, 1);
        EXPECT_EQ(crc_form_of_environment(), form) << value;
    }
    unsetenv(name);
}

}  // namespace
}  // namespace fragmend::codec
