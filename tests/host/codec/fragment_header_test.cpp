// Fragment headers: bytes written by the library, and bytes that nobody should have written.
#include "host/codec/fragment_header.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/host/codec/golden_fragments.hpp"

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

Header written(const FragmentHeader& header, CrcForm form = CrcForm::standard) {
    Header bytes;
    write_fragment_header(header, form, bytes);
    return bytes;
}

/// What a machine of the other byte order would have written.
Header swapped(Header bytes) {
    constexpr std::pair<int, int> fields[] = {{0, 4},  {4, 4},  {8, 4},  {12, 8}, {21, 4}, {25, 4},
                                              {29, 4}, {33, 4}, {37, 4}, {41, 4}, {45, 4}, {49, 4},
                                              {55, 4}, {59, 4}, {63, 4}, {67, 4}};
    for (const auto& [offset, size] : fields) {
        std::reverse(bytes.begin() + offset, bytes.begin() + offset + size);
    }
    return bytes;
}

/// Sets the stored CRC to that of the bytes as they lie there.
void seal(Header& bytes, bool other_order = false) {
    std::uint32_t crc = header_crc(std::span(bytes).first(59), CrcForm::standard);
    if (other_order) crc = __builtin_bswap32(crc);
    std::memcpy(bytes.data() + 67, &crc, 4);
}

TEST(FragmentHeader, ReadsAndWritesTheLibrarysBytes) {
    for (const auto& [file, form] : {std::pair{"isa_l_rs_cauchy_4_2.bin", CrcForm::standard},
                                     {"isa_l_rs_cauchy_4_2_legacy_crc.bin", CrcForm::legacy}}) {
        const auto fragments = golden_fragments(file, 6);
        for (std::uint32_t i = 0; i < 6; ++i) {
            const FragmentHeader header = parse_fragment_header(fragments[i]).value();
            FragmentHeader expected = sample();
            expected.index = i;
            EXPECT_EQ(header, expected);
            const Header again = written(header, form);
            EXPECT_TRUE(std::ranges::equal(again, ByteView(fragments[i]).first(80)));
        }
    }
}

TEST(FragmentHeader, KeepsEveryField) {
    FragmentHeader header = sample();
    header.index = 0xfffffffe;
    header.backend_metadata_bytes = 0x12345678;
    header.segment_bytes = 0x123456789abcdef0;
    header.checksum_type = 2;
    header.checksum = {1, 2, 3, 4, 5, 6, 7, 0xffffffff};
    header.checksum_mismatch = 1;
    for (CrcForm form : {CrcForm::standard, CrcForm::legacy}) {
        EXPECT_EQ(parse_fragment_header(written(header, form)).value(), header);
    }
}

TEST(FragmentHeader, ShortBytesAreRefused) {
    const Header bytes = written(sample());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_EQ(parse_fragment_header(ByteView(bytes).first(length)).error().code,
                  errc::bad_fragment);
    }
}

TEST(FragmentHeader, EveryFlippedBitOfWhatTheCrcCoversIsFound) {
    for (CrcForm form : {CrcForm::standard, CrcForm::legacy}) {
        for (std::size_t at = 0; at < 71; ++at) {
            if (at >= 63 && at < 67) continue;  // The version lies outside the CRC.
            for (unsigned bit = 0; bit < 8; ++bit) {
                Header bytes = written(sample(), form);
                bytes[at] ^= static_cast<std::byte>(1u << bit);
                EXPECT_FALSE(parse_fragment_header(bytes)) << at << ' ' << bit;
            }
        }
    }
}

TEST(FragmentHeader, TheCrcCountsFromVersion120On) {
    FragmentHeader header = sample();
    for (const auto& [version, counts] :
         {std::pair{0x010602u, true}, {0x010200u, true}, {0x0101ffu, false}, {1u, false}}) {
        header.library_version = version;
        Header bytes = written(header);
        EXPECT_TRUE(parse_fragment_header(bytes));
        bytes[67] ^= std::byte{1};
        EXPECT_EQ(parse_fragment_header(bytes).has_value(), !counts) << version;
    }
    header.library_version = 0;
    EXPECT_FALSE(parse_fragment_header(written(header)));
}

TEST(FragmentHeader, TheOtherByteOrderIsRecognised) {
    Header bytes = swapped(written(sample()));
    seal(bytes, true);
    const FragmentHeader header = parse_fragment_header(bytes).value();
    FragmentHeader expected = sample();
    expected.swapped = true;
    EXPECT_EQ(header, expected);
}

TEST(FragmentMetadata, ChecksThePayloadsCrcWhereThereIsOne) {
    std::vector<std::byte> fragment(fragment_header_bytes + 9);
    // The well-known check value: CRC-32 of "123456789".
    std::memcpy(fragment.data() + fragment_header_bytes, "123456789", 9);
    FragmentHeader header = sample();
    header.payload_bytes = 9;
    header.checksum_type = 2;
    header.checksum[0] = 0xcbf43926;
    const auto seal_header = [&] {
        write_fragment_header(header, CrcForm::standard,
                              std::span(fragment).first<fragment_header_bytes>());
    };
    seal_header();
    EXPECT_TRUE(check_fragment_metadata(fragment));
    fragment.back() ^= std::byte{4};
    EXPECT_FALSE(check_fragment_metadata(fragment));
    fragment.back() ^= std::byte{4};
    header.payload_bytes = 10;
    seal_header();
    EXPECT_FALSE(check_fragment_metadata(fragment)) << "longer than what is there";
    header.checksum_type = 1;
    seal_header();
    EXPECT_TRUE(check_fragment_metadata(fragment)) << "no CRC, nothing to check";
}

}  // namespace
}  // namespace fragmend::codec
