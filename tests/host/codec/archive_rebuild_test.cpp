// Whole archives out of good, damaged and foreign ones.
#include "host/codec/archive_rebuild.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host/codec/archive_fixture.hpp"

namespace fragmend::codec {
namespace {

using testing::HasSubstr;

const EcScheme cauchy{"isa_l_rs_cauchy", 4, 4};

class ArchiveRebuild : public testing::Test {
  protected:
    void add(std::size_t index, bool with_md5 = false) {
        sources.push_back({"a" + std::to_string(index), ByteView(archives[index]),
                           with_md5 ? std::optional(md5_of(whole[index])) : std::nullopt});
    }
    Result<void> run(std::uint8_t wanted, std::optional<std::uint64_t> segment_bytes = {}) {
        output.clear();
        return rebuild_archive(
            codec, {cauchy, wanted, segment_bytes}, sources,
            [this](ByteView bytes) -> Result<void> {
                output.insert(output.end(), bytes.begin(), bytes.end());
                return {};
            },
            report);
    }
    void expect_right(std::uint8_t wanted) {
        const auto done = run(wanted);
        ASSERT_TRUE(done) << done.error().detail;
        EXPECT_TRUE(output == whole[wanted]);
        EXPECT_EQ(report.md5, md5_of(whole[wanted]));
        EXPECT_EQ(report.bytes, whole[wanted].size());
    }
    void expect_culprit(std::size_t source, const std::string& words) {
        ASSERT_EQ(report.left_out.size(), 1u);
        EXPECT_EQ(report.left_out[0].source, source);
        EXPECT_TRUE(report.left_out[0].damaged);
        EXPECT_THAT(report.left_out[0].why, HasSubstr(words));
    }

    std::mt19937_64 random{test_seed()};
    CpuCodec codec;
    const Fragments whole = make_archives(codec, cauchy, 40, 997, 123, random);
    Fragments archives = whole;
    std::vector<ArchiveSource> sources;
    std::vector<std::byte> output;
    ArchiveReport report;
};

TEST_F(ArchiveRebuild, EveryFragmentFromExactlyK) {
    for (std::uint8_t wanted = 0; wanted < 8; ++wanted) {
        sources.clear();
        for (std::size_t i = 0; i < 8 && sources.size() < 4; ++i) {
            if (i != wanted) add(i);
        }
        expect_right(wanted);
        EXPECT_EQ(report.segments, 41u);
        EXPECT_EQ(report.spares, 0u);
        EXPECT_FALSE(report.proven);
    }
}

TEST_F(ArchiveRebuild, SparesAgree) {
    for (std::size_t i = 1; i < 8; ++i)
        add(i);
    expect_right(0);
    EXPECT_EQ(report.spares, 3u);
    EXPECT_TRUE(report.proven);
    EXPECT_TRUE(report.left_out.empty());
}

TEST_F(ArchiveRebuild, ASingleWrongByteIsToldByThreeSpares) {
    for (std::size_t bad = 1; bad < 8; ++bad) {
        archives = whole;
        archives[bad][archives[bad].size() - 5] ^= std::byte{1};
        sources.clear();
        for (std::size_t i = 1; i < 8; ++i)
            add(i);
        expect_right(0);
        expect_culprit(bad - 1, "contradict");
    }
}

TEST_F(ArchiveRebuild, OneSpareOnlyTellsThatSomethingIsWrong) {
    archives[3][500] ^= std::byte{1};
    for (std::size_t i = 1; i < 6; ++i)
        add(i);
    const auto done = run(0);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::bad_fragment);
    EXPECT_THAT(done.error().detail, HasSubstr("contradict each other"));
    EXPECT_TRUE(output.empty());
}

TEST_F(ArchiveRebuild, TwoSparesNameASuspectAndLeaveTheDecision) {
    archives[3][500] ^= std::byte{1};
    for (std::size_t i = 1; i < 7; ++i)
        add(i);
    const auto done = run(0);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::bad_fragment);
    EXPECT_THAT(done.error().detail, HasSubstr("they would agree without a3"));
    EXPECT_TRUE(output.empty());
    // Two wrong bytes of a mind can make an innocent the suspect: why nothing is decided.
    sources.erase(sources.begin() + 2);
    expect_right(0);
}

TEST_F(ArchiveRebuild, AKnownMd5NamesTheCulpritWithoutSpares) {
    archives[3][500] ^= std::byte{1};
    for (std::size_t i = 1; i < 6; ++i)
        add(i, true);
    expect_right(0);
    expect_culprit(2, "its MD5 is");
    EXPECT_EQ(report.verified, 4u);
    EXPECT_TRUE(report.proven);
}

TEST_F(ArchiveRebuild, WhatAMd5VouchesForIsNeverLeftOut) {
    // Two spares, one bad and not verified: only it can be the one.
    archives[6][200] ^= std::byte{1};
    for (std::size_t i = 1; i < 6; ++i)
        add(i, true);
    add(6);
    expect_right(0);
    expect_culprit(5, "contradict");
}

TEST_F(ArchiveRebuild, WhatIsVerifiedIsCountedOfThoseUsed) {
    for (std::size_t i = 1; i < 4; ++i)
        add(i, true);
    add(4);
    expect_right(0);
    EXPECT_EQ(report.verified, 3u);
    EXPECT_FALSE(report.proven);
    add(5);
    add(6, true);
    expect_right(0);
    EXPECT_EQ(report.used, 4u);
    EXPECT_EQ(report.verified, 4u);
    EXPECT_EQ(report.spares, 2u);
    EXPECT_TRUE(report.proven);
}

TEST_F(ArchiveRebuild, ASpareThatSaysNothingOfThoseUsedProvesNothing) {
    const EcScheme flat{"flat_xor_hd_3", 5, 5};
    archives = make_archives(codec, flat, 2, 640, 17, random);
    const std::vector<std::uint8_t> all{1, 2, 3, 4, 5, 6, 7, 8, 9};
    const auto used = codec.choose_survivors(flat, all, 0).value();
    const auto sink = [](ByteView) -> Result<void> { return {}; };
    std::size_t alone = 0;
    for (const std::uint8_t spare : all) {
        if (std::ranges::find(used, spare) != used.end()) continue;
        if (codec.choose_survivors(flat, used, spare)) continue;
        sources.clear();
        for (const std::uint8_t index : used)
            sources.push_back({"a", ByteView(archives[index]), std::nullopt});
        sources.push_back({"a", ByteView(archives[spare]), std::nullopt});
        ASSERT_TRUE(rebuild_archive(codec, {flat, 0, {}}, sources, sink, report));
        EXPECT_EQ(report.spares, 0u);
        EXPECT_FALSE(report.proven);
        ++alone;
    }
    EXPECT_GT(alone, 0u);
    sources.clear();
    for (const std::uint8_t index : all)
        sources.push_back({"a", ByteView(archives[index]), std::nullopt});
    ASSERT_TRUE(rebuild_archive(codec, {flat, 0, {}}, sources, sink, report));
    EXPECT_TRUE(report.proven);
}

TEST_F(ArchiveRebuild, HeadersTellWhatTheyCan) {
    const std::size_t second = codec.fragment_bytes(cauchy, 997);
    const auto expect = [&](auto spoil, const std::string& words) {
        archives = whole;
        spoil(archives[2]);
        sources.clear();
        for (std::size_t i = 1; i < 8; ++i)
            add(i);
        expect_right(0);
        expect_culprit(1, words);
    };
    expect([](auto& a) { a.pop_back(); }, "ends within");
    expect([](auto& a) { a.erase(a.end() - 200, a.end()); }, "at byte");
    expect([](auto& a) { a.push_back({}); }, "no whole header");
    expect([&](auto& a) { a[second + 4] ^= std::byte{1}; },
           "at byte " + std::to_string(second) + ": fragment header with a wrong CRC");
    expect([&](auto& a) { a.resize(20 * second); }, "cut unlike");
    expect([&](auto& a) { a.clear(); }, "empty");
    expect(
        [&](auto& a) {
            std::copy_n(whole[4].begin(), second, a.begin() + static_cast<std::ptrdiff_t>(second));
        },
        "in an archive of 2");
}

TEST_F(ArchiveRebuild, TheWantedOneAndDoublesAreLeftAside) {
    for (std::size_t i = 0; i < 8; ++i)
        add(i);
    add(3);
    expect_right(0);
    ASSERT_EQ(report.left_out.size(), 2u);
    EXPECT_FALSE(report.left_out[0].damaged);
    EXPECT_THAT(report.left_out[0].why, HasSubstr("fragment 0 itself"));
    EXPECT_THAT(report.left_out[1].why, HasSubstr("the same as"));
}

TEST_F(ArchiveRebuild, TwoUnlikeArchivesOfOneFragment) {
    std::vector<std::byte> other = whole[3];
    other[300] ^= std::byte{1};
    for (const bool verified : {false, true}) {
        sources.clear();
        for (std::size_t i = 1; i < 6; ++i)
            add(i, verified);
        sources.push_back({"other", ByteView(other), std::nullopt});
        expect_right(0);
        EXPECT_EQ(report.left_out.size(), verified ? 1u : 2u);
    }
}

TEST_F(ArchiveRebuild, AThirdArchiveOfOneFragmentDoesNotSettleWhichOfTwoIsRight) {
    std::vector<std::byte> other = whole[3];
    other[300] ^= std::byte{1};
    std::vector<std::byte> third = whole[3];
    third[301] ^= std::byte{1};
    sources.push_back({"other", ByteView(other), md5_of(other)});
    for (std::size_t i = 1; i < 6; ++i)
        add(i, true);
    sources.push_back({"third", ByteView(third), std::nullopt});
    expect_right(0);
    EXPECT_EQ(report.left_out.size(), 3u);
    EXPECT_THAT(report.survivors, testing::UnorderedElementsAre(1, 2, 4, 5));
}

TEST_F(ArchiveRebuild, StaleVersionsBesideEnoughGoodOnes) {
    const Fragments stale = make_archives(codec, cauchy, 40, 997, 123, random);
    const Fragments shorter = make_archives(codec, cauchy, 3, 997, 123, random);
    for (const bool with_md5 : {false, true}) {
        sources.clear();
        for (std::size_t i = 1; i < 4; ++i)
            sources.push_back({"s", ByteView(stale[i]), md5_of(stale[i]), "1 x"});
        sources.push_back({"s", ByteView(shorter[4]), md5_of(shorter[4]), "0 x"});
        for (std::size_t i = 1; i < 6; ++i) {
            add(i, with_md5);
            sources.back().object = "2 y";
        }
        expect_right(0);
        ASSERT_EQ(report.left_out.size(), 4u);
        for (const LeftOut& one : report.left_out)
            EXPECT_THAT(one.why, HasSubstr("another object"));
    }
}

TEST_F(ArchiveRebuild, CopiesOfOneArchiveHaveOneVote) {
    const Fragments stale = make_archives(codec, cauchy, 40, 997, 123, random);
    const Fragments shorter = make_archives(codec, cauchy, 3, 997, 123, random);
    for (const bool objects_known : {true, false}) {
        sources.clear();
        for (int copy = 0; copy < 5; ++copy) {
            sources.push_back({"s", ByteView(objects_known ? stale[1] : shorter[1]), std::nullopt});
            if (objects_known) sources.back().object = "1 x";
        }
        for (std::size_t i = 2; i < 6; ++i) {
            add(i);
            if (objects_known) sources.back().object = "2 y";
        }
        expect_right(0);
        EXPECT_EQ(report.left_out.size(), 5u);
    }
}

TEST_F(ArchiveRebuild, OfAnotherObject) {
    const Fragments foreign = make_archives(codec, cauchy, 40, 997, 123, random);
    for (std::size_t i = 1; i < 8; ++i) {
        add(i);
        sources.back().object = "1 x";
    }
    sources[2].bytes = ByteView(foreign[3]);
    sources[2].object = "2 y";
    expect_right(0);
    expect_culprit(2, "another object");
    // Nobody says so, but the bytes do.
    for (ArchiveSource& source : sources)
        source.object.clear();
    expect_right(0);
    expect_culprit(2, "contradict");
}

TEST_F(ArchiveRebuild, NeitherOfTwoVersionsOfAsManyArchivesIsChosen) {
    for (std::size_t i = 1; i < 7; ++i) {
        add(i);
        sources.back().object = i % 2 == 0 ? "1 x" : "2 y";
    }
    const auto done = run(0);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), errc::bad_fragment);
    EXPECT_THAT(done.error().detail, HasSubstr("different objects"));
    EXPECT_TRUE(output.empty());
}

TEST_F(ArchiveRebuild, AnArchiveWithABadSectorIsLeftOut) {
    for (std::size_t i = 1; i < 6; ++i)
        add(i);
    const std::vector<std::byte>& behind = whole[3];
    sources[2].bytes = {behind.size(), [&](std::uint64_t at, ByteSpan into) -> Result<void> {
                            if (at + into.size() > 5000) return Error{errc::io, "bad sector"};
                            std::ranges::copy(ByteView(behind).subspan(at, into.size()),
                                              into.begin());
                            return {};
                        }};
    expect_right(0);
    expect_culprit(2, "bad sector");
    sources.pop_back();
    const auto done = run(0);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::too_few_fragments);
    expect_culprit(2, "bad sector");
}

TEST_F(ArchiveRebuild, ADiskThatFailsAtAnyReadCostsThatArchiveAlone) {
    for (const bool with_md5 : {false, true}) {
        for (std::size_t bad = 1; bad < 6; ++bad) {
            sources.clear();
            for (std::size_t i = 1; i < 6; ++i)
                add(i, with_md5);
            std::size_t good_reads = 0;
            do {
                std::size_t reads = 0;
                sources[bad - 1].bytes = {
                    whole[bad].size(), [&](std::uint64_t at, ByteSpan into) -> Result<void> {
                        if (++reads > good_reads) return Error{errc::io, "gone"};
                        std::ranges::copy(ByteView(whole[bad]).subspan(at, into.size()),
                                          into.begin());
                        return {};
                    }};
                expect_right(0);
                if (!report.left_out.empty()) expect_culprit(bad - 1, "gone");
                if (HasFatalFailure()) return;
                ++good_reads;
            } while (!report.left_out.empty());
            EXPECT_GT(good_reads, 43u);
        }
    }
}

TEST_F(ArchiveRebuild, LongArchivesAreReadInPieces) {
    const Fragments long_ones = make_archives(codec, cauchy, 16, 4'000'000, 123, random);
    std::size_t longest = 0;
    for (std::size_t i = 1; i < 6; ++i) {
        const ByteView archive = long_ones[i];
        const auto read = [&longest, archive](std::uint64_t at, ByteSpan into) -> Result<void> {
            longest = std::max(longest, into.size());
            return ArchiveBytes(archive).read(at, into);
        };
        sources.push_back({"a", {archive.size(), read}, md5_of(archive)});
        if (i == 5) sources.back().md5.reset();
    }
    ASSERT_TRUE(run(0));
    EXPECT_TRUE(output == long_ones[0]);
    // Four of them and the output share 64 MiB.
    EXPECT_LE(longest * 5, std::size_t{64} << 20);
    EXPECT_EQ(report.verified, 4u);
    EXPECT_EQ(report.spares, 1u);
    EXPECT_TRUE(report.left_out.empty());
}

TEST_F(ArchiveRebuild, WhatIsKnownToBeOfNoUseIsNotRead) {
    for (std::size_t i = 1; i < 6; ++i)
        add(i);
    sources[2].bytes = {};
    sources[2].unusable = {"cannot open it", true};
    expect_right(0);
    expect_culprit(2, "cannot open it");
}

TEST_F(ArchiveRebuild, RefusesWhatCannotBe) {
    for (std::size_t i = 1; i < 4; ++i)
        add(i);
    EXPECT_EQ(run(0).error().code, errc::too_few_fragments);
    add(4);
    EXPECT_TRUE(run(0, 997));
    EXPECT_EQ(run(0, 1000).error().code, errc::bad_fragment);
    EXPECT_EQ(run(8).error().code, errc::singular);
    const auto fails = [](ByteView) -> Result<void> { return Error{errc::no_space, "full"}; };
    EXPECT_EQ(rebuild_archive(codec, {cauchy, 0, {}}, sources, fails, report).error().code,
              errc::no_space);
    EXPECT_EQ(rebuild_archive(codec, {{"shss", 4, 3}, 0, {}}, sources, fails, report).error().code,
              errc::unsupported_scheme);
}

TEST_F(ArchiveRebuild, AnEmptyObjectHasEmptyArchives) {
    for (auto& archive : archives)
        archive.clear();
    for (std::size_t i = 1; i < 5; ++i)
        add(i);
    ASSERT_TRUE(run(0));
    EXPECT_TRUE(output.empty());
    EXPECT_EQ(to_hex(report.md5), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_FALSE(report.proven);
    const auto nothing = report.md5;
    // One more that has lost its bytes changes nothing where the others are known to be right.
    for (ArchiveSource& source : sources)
        source.md5 = nothing;
    add(5, true);
    ASSERT_TRUE(run(0));
    expect_culprit(4, "its MD5 is");
    EXPECT_EQ(report.verified, 4u);
    EXPECT_TRUE(report.proven);
}

TEST_F(ArchiveRebuild, FilesThatLostTheirBytesAreNoEmptyObject) {
    for (auto& archive : archives)
        archive.clear();
    for (std::size_t i = 1; i < 6; ++i)
        add(i, true);
    auto done = run(0);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::too_few_fragments);
    ASSERT_EQ(report.left_out.size(), 5u);
    for (const LeftOut& one : report.left_out)
        EXPECT_THAT(one.why, HasSubstr("its MD5 is d41d8cd98f00b204e9800998ecf8427e, not"));
    // Nothing is known of them, but others have bytes: good ones or not.
    for (ArchiveSource& source : sources)
        source.md5.reset();
    archives[6] = whole[6];
    archives[7] = {std::byte{1}};
    for (const std::size_t other : {6u, 7u}) {
        add(other);
        done = run(0);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, errc::too_few_fragments);
        EXPECT_EQ(report.left_out.size(), other == 6 ? 5u : 6u);
        sources.pop_back();
    }
    // Known to be empty, and yet of another object than those with bytes.
    for (ArchiveSource& source : sources)
        source.md5 = md5_of({});
    add(6);
    EXPECT_EQ(run(0).error().code, errc::too_few_fragments);
    EXPECT_TRUE(output.empty());
}

TEST_F(ArchiveRebuild, EmptyArchivesAreOfOneObjectAndOfKFragments) {
    for (std::uint8_t i = 1; i < 5; ++i)
        sources.push_back({"e", {}, md5_of({}), "1 x", i});
    ASSERT_TRUE(run(0));
    EXPECT_THAT(report.survivors, testing::ElementsAre(1, 2, 3, 4));
    sources[3].index = 3;
    EXPECT_EQ(run(0).error().code, errc::too_few_fragments);
    ASSERT_EQ(report.left_out.size(), 1u);
    EXPECT_THAT(report.left_out[0].why, HasSubstr("the same as"));
    sources[3].index = 0;
    EXPECT_EQ(run(0).error().code, errc::too_few_fragments);
    ASSERT_EQ(report.left_out.size(), 1u);
    EXPECT_THAT(report.left_out[0].why, HasSubstr("fragment 0 itself"));
    sources[3].index = 4;
    sources[2].object = sources[3].object = "2 y";
    EXPECT_EQ(run(0).error().code, errc::bad_fragment);
    EXPECT_THAT(run(0).error().detail, HasSubstr("different objects"));
}

}  // namespace
}  // namespace fragmend::codec
