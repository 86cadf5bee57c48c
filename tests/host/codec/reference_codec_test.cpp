// When liberasurecode itself decodes, and that its word is not taken on trust.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "host/codec/library_plan.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The back end that every installation has.
const EcScheme scheme{"liberasurecode_rs_vand", 4, 2};
const EcScheme flat{"flat_xor_hd_3", 10, 5};

class Lines final : public LogSink {
  public:
    void write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
    std::vector<std::string> lines;
};

std::optional<gf::Matrix> no_matrix(gf::Code, int, int) {
    return std::nullopt;
}

/// A matrix of a library of another mind: the second parity is another one.
std::optional<gf::Matrix> another_matrix(gf::Code code, int k, int m) {
    auto matrix = gf::generator(code, k, m);
    if (matrix) matrix->at(matrix->rows() - 1, 0) ^= 1;
    return matrix;
}

bool is_of_library(const std::shared_ptr<const scheduler::DecodePlan>& plan) {
    return dynamic_cast<const LibraryPlan*>(plan.get()) != nullptr;
}

class ReferenceCodec : public testing::Test {
  protected:
    CpuCodec make(Decoder decoder, decltype(CpuCodecOptions::generator) generator = gf::generator) {
        CpuCodecOptions options;
        options.decoder = decoder;
        options.generator = generator;
        options.log = Logger(&said, LogLevel::notice);
        return CpuCodec(options);
    }
    void expect_true_bytes(CpuCodec& codec) {
        const auto plan = codec.plan(scheme, Indexes{5, 0, 3, 1}, 2).value();
        EXPECT_TRUE(is_of_library(plan));
        const auto digests = codec.digests(4);
        OneRebuild rebuild(plan, whole);
        rebuild.item.digests = digests.get();
        rebuild.run(codec);
        ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
        EXPECT_EQ(rebuild.output, whole[2]);
        Md5 reference;
        reference.update(whole[5]);
        EXPECT_EQ(digests->finish(0), reference.finish());
    }

    Lines said;
    std::mt19937_64 random{test_seed()};
    const LibraryInstance library = LibraryInstance::create(scheme).value();
    const Fragments whole = library.encode(random_bytes(70001, random)).value();
};

TEST_F(ReferenceCodec, DecodesWithTheLibraryWhenTold) {
    CpuCodec codec = make(Decoder::library);
    ASSERT_TRUE(codec.check(scheme));
    EXPECT_THAT(said.lines, ElementsAre(HasSubstr("itself decodes liberasurecode_rs_vand 4+2")));
    expect_true_bytes(codec);
}

TEST_F(ReferenceCodec, LeavesWhatOurMatricesKnowToThem) {
    for (Decoder decoder : {Decoder::matrices, Decoder::automatic}) {
        CpuCodec codec = make(decoder);
        ASSERT_TRUE(codec.check(scheme));
        EXPECT_FALSE(is_of_library(codec.plan(scheme, Indexes{0, 1, 3, 4}, 2).value()));
    }
    EXPECT_THAT(said.lines, IsEmpty());
}

TEST_F(ReferenceCodec, StepsInForAMissingMatrix) {
    CpuCodec codec = make(Decoder::automatic, no_matrix);
    ASSERT_TRUE(codec.check(scheme));
    EXPECT_THAT(said.lines, ElementsAre(HasSubstr("no matrix")));
    expect_true_bytes(codec);
    CpuCodec ours = make(Decoder::matrices, no_matrix);
    EXPECT_EQ(ours.check(scheme).error().code, errc::unsupported_scheme);
}

TEST_F(ReferenceCodec, StepsInForALibraryOfAnotherMind) {
    CpuCodec codec = make(Decoder::automatic, another_matrix);
    EXPECT_FALSE(is_of_library(codec.plan(scheme, Indexes{5, 0, 3, 1}, 2).value()));
    ASSERT_TRUE(codec.check(scheme));
    EXPECT_THAT(said.lines, ElementsAre(HasSubstr("unlike Fragmend")));
    expect_true_bytes(codec);
    CpuCodec ours = make(Decoder::matrices, another_matrix);
    const auto refused = ours.check(scheme);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("unlike Fragmend"));
}

TEST_F(ReferenceCodec, NeverDecodesFlatXor) {
    CpuCodec codec = make(Decoder::library);
    ASSERT_TRUE(codec.check(flat));
    EXPECT_THAT(said.lines, ElementsAre(HasSubstr("Fragmend decodes flat_xor_hd_3 10+5")));
    const auto survivors = codec.choose_survivors(flat, Indexes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0);
    ASSERT_TRUE(survivors);
    EXPECT_FALSE(is_of_library(codec.plan(flat, *survivors, 0).value()));
    CpuCodec fallback = make(Decoder::automatic, no_matrix);
    EXPECT_EQ(fallback.check(flat).error().code, errc::unsupported_scheme);
}

/// The library may answer with success and wrong bytes; a plan out of such survivors is not made.
TEST_F(ReferenceCodec, TriesEveryPlanOutOnKnownBytes) {
    const auto own = LibraryScheme::make(flat).value();
    std::size_t lies = 0;
    Indexes all(15);
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    for (int set = 0; set < 200; ++set) {
        std::ranges::shuffle(all, random);
        const Indexes survivors(all.begin(), all.begin() + 10);
        const std::uint8_t wanted = all.back();
        std::vector<ByteView> views;
        for (std::uint8_t index : survivors) {
            views.emplace_back(own->sample()[index]);
        }
        std::vector<std::byte> output(own->sample()[wanted].size());
        const bool success = own->instance().reconstruct(views, wanted, output).has_value();
        const bool truth = success && own->compare(output, wanted).has_value();
        if (success && !truth) ++lies;
        EXPECT_EQ(own->rebuilds(survivors, wanted), truth);
        if (!truth) {
            EXPECT_EQ(LibraryPlan::make(own, survivors, std::span(&wanted, 1)).error().code,
                      errc::singular);
        }
    }
    RecordProperty("lies", static_cast<int>(lies));
}

TEST_F(ReferenceCodec, RefusesImpossibleSets) {
    CpuCodec codec = make(Decoder::library);
    for (const Indexes& survivors : {Indexes{0, 1, 3}, Indexes{}, Indexes{0, 1, 3, 2},
                                     Indexes{0, 1, 3, 3}, Indexes{0, 1, 3, 6}}) {
        EXPECT_EQ(codec.plan(scheme, survivors, 2).error().code, errc::singular);
    }
    EXPECT_EQ(codec.plan(scheme, Indexes{0, 1, 2, 3}, 6).error().code, errc::singular);
    EXPECT_FALSE(codec.choose_survivors(scheme, Indexes{0, 1, 3}, 2));
    EXPECT_FALSE(codec.choose_survivors(scheme, Indexes{0, 1, 2, 3}, 2));
    EXPECT_THAT(codec.choose_survivors(scheme, Indexes{5, 3, 0, 1, 4}, 2).value(),
                ElementsAre(5, 3, 0, 1));
    EXPECT_FALSE(codec.check({"shss", 4, 2}));
    EXPECT_FALSE(codec.check({"liberasurecode_rs_vand", 40, 20}));
}

TEST_F(ReferenceCodec, ChecksHeadersAsEver) {
    CpuCodec codec = make(Decoder::library);
    Fragments spoiled = whole;
    spoiled[3][5] ^= std::byte{1};
    OneRebuild rebuild(codec.plan(scheme, Indexes{0, 1, 3, 4}, 2).value(), spoiled);
    rebuild.run(codec);
    ASSERT_TRUE(rebuild.item.error);
    EXPECT_EQ(rebuild.item.error->code, errc::bad_fragment);
    EXPECT_EQ(rebuild.item.culprit, 2);
}

TEST_F(ReferenceCodec, ServesManyThreads) {
    CpuCodec codec = make(Decoder::library);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&codec, this, t] {
            const auto wanted = static_cast<std::uint8_t>(t);
            const auto survivors =
                codec.choose_survivors(scheme, Indexes{5, 4, 3, 2, 1, 0}, wanted).value();
            for (int i = 0; i < 20; ++i) {
                OneRebuild rebuild(codec.plan(scheme, survivors, wanted).value(), whole);
                rebuild.run(codec);
                EXPECT_FALSE(rebuild.item.error);
                EXPECT_TRUE(rebuild.output == whole[wanted]);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace fragmend::codec
