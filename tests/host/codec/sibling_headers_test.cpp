// The short way past a header: it must never see a sibling where parsing would not.
#include <gtest/gtest.h>

#include <zlib.h>

#include <algorithm>

#include "host/codec/crc32_x86.hpp"
#include "host/codec/fragment_header.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

using Header = std::array<std::byte, fragment_header_bytes>;

FragmentHeader sample() {
    FragmentHeader header;
    header.index = 3;
    header.payload_bytes = 258;
    header.segment_bytes = 1029;
    header.backend_id = 7;
    header.backend_version = 0x020e01;
    header.library_version = 0x010602;
    return header;
}

Header written(const FragmentHeader& header, CrcForm form) {
    Header bytes;
    write_fragment_header(header, form, bytes);
    return bytes;
}

TEST(SiblingHeaders, KnowEveryIndexInBothForms) {
    for (CrcForm form : {CrcForm::standard, CrcForm::legacy}) {
        const Header first = written(sample(), form);
        const SiblingHeaders siblings(first, sample(), form);
        for (std::uint32_t index = 0; index < 32; ++index) {
            FragmentHeader header = sample();
            header.index = index;
            const Header bytes = written(header, form);
            EXPECT_TRUE(siblings.is_sibling(bytes, index)) << index;
            EXPECT_FALSE(siblings.is_sibling(bytes, index ^ 1u)) << index;
            Header short_way;
            short_way.fill(std::byte{0xa5});
            ASSERT_TRUE(siblings.write(header, form, short_way));
            EXPECT_EQ(short_way, bytes);
            header.library_version = 0x010700;
            ASSERT_TRUE(siblings.write(header, form, short_way));
            EXPECT_EQ(short_way, written(header, form)) << "another writer's version";
        }
        FragmentHeader far = sample();
        far.index = 32;
        EXPECT_FALSE(siblings.is_sibling(written(far, form), 32)) << "left to the parser";
    }
}

/// Spoiled in one to three bits anywhere: a sibling is only what the parser reads as one.
TEST(SiblingHeaders, SeeNoMoreThanTheParserWouldAccept) {
    std::mt19937_64 random(test_seed());
    std::size_t refused = 0;
    for (CrcForm form : {CrcForm::standard, CrcForm::legacy}) {
        const SiblingHeaders siblings(written(sample(), form), sample(), form);
        for (int turn = 0; turn < 200000; ++turn) {
            FragmentHeader header = sample();
            header.index = static_cast<std::uint32_t>(random() % 32);
            Header bytes = written(header, form);
            for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
                bytes[random() % 71] ^= static_cast<std::byte>(1u << random() % 8);
            }
            if (!siblings.is_sibling(bytes, header.index)) {
                ++refused;
                continue;
            }
            // The flips met each other, or hit nothing that counts.
            ASSERT_EQ(parse_fragment_header(bytes).value(), header);
        }
    }
    EXPECT_GT(refused, 390000u);
}

TEST(SiblingHeaders, OfTheOtherFormIsNone) {
    const SiblingHeaders siblings(written(sample(), CrcForm::standard), sample(),
                                  CrcForm::standard);
    EXPECT_FALSE(siblings.is_sibling(written(sample(), CrcForm::legacy), 3));
    Header output;
    EXPECT_FALSE(siblings.write(sample(), CrcForm::legacy, output));
}

TEST(SiblingHeaders, WriteOnlyWhatTheyAre) {
    const SiblingHeaders siblings(written(sample(), CrcForm::standard), sample(),
                                  CrcForm::standard);
    const auto refuses = [&](auto change) {
        FragmentHeader header = sample();
        change(header);
        Header output;
        EXPECT_FALSE(siblings.write(header, CrcForm::standard, output));
    };
    refuses([](auto& h) { h.index = 32; });
    refuses([](auto& h) { h.payload_bytes = 1; });
    refuses([](auto& h) { h.segment_bytes = 1; });
    refuses([](auto& h) { h.backend_id = 1; });
    refuses([](auto& h) { h.backend_version = 1; });
    refuses([](auto& h) { h.backend_metadata_bytes = 1; });
    refuses([](auto& h) { h.checksum_type = 2; });
    refuses([](auto& h) { h.checksum[7] = 1; });
    refuses([](auto& h) { h.checksum_mismatch = 1; });
}

TEST(SiblingHeaders, OfHeadersWithoutACrcThatCountsThereAreNone) {
    FragmentHeader old = sample();
    old.library_version = 0x0101ff;
    const Header bytes = written(old, CrcForm::standard);
    EXPECT_FALSE(SiblingHeaders(bytes, old, CrcForm::standard).is_sibling(bytes, old.index));
    FragmentHeader summed = sample();
    summed.checksum_type = 2;
    const Header with_sum = written(summed, CrcForm::standard);
    EXPECT_FALSE(SiblingHeaders(with_sum, summed, CrcForm::standard).is_sibling(with_sum, 3))
        << "its payload has a CRC to check";
}

TEST(HeaderCrc, TheShortOneIsZlibs) {
    const ShortCrc short_crc = pclmul_crc32();
    if (short_crc == nullptr) GTEST_SKIP() << "no PCLMULQDQ on this CPU";
    std::mt19937_64 random(test_seed());
    for (int turn = 0; turn < 20000; ++turn) {
        const auto bytes = random_bytes(4 + random() % 61, random);
        ASSERT_EQ(short_crc(bytes.data(), bytes.size()),
                  crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
    }
}

}  // namespace
}  // namespace fragmend::codec
