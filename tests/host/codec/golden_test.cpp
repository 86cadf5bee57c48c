// Fragments of the real PyECLib, rebuilt without the library: golden bytes in, golden bytes out.
#include <gtest/gtest.h>

#include <numeric>

#include "host/base/md5.hpp"
#include "kernels/gf/reference.hpp"
#include "tests/host/codec/golden_fragments.hpp"
#include "tests/host/codec/rebuild_fixture.hpp"

namespace fragmend::codec {
namespace {

struct Golden {
    const char* ec_type;
    int k;
    int m;
    std::vector<const char*> parity_digits;  ///< First 8 hex digits of a parity payload's MD5.
};

std::vector<Golden> all_golden() {
    return {
        {"liberasurecode_rs_vand", 4, 2, {"0c2d011c", "e64f61ae"}},
        {"jerasure_rs_vand", 4, 2, {"0c2d011c", "1f45ca0e"}},
        {"jerasure_rs_cauchy", 4, 2, {"a1d2bb0f", "5b8529d2"}},
        {"isa_l_rs_vand", 4, 2, {"0c2d011c", "2a358dac"}},
        {"isa_l_rs_cauchy", 4, 2, {"fdac892d", "813723fe"}},
        {"isa_l_rs_cauchy", 10, 4, {}},
        {"flat_xor_hd_3", 10, 5, {"d4532ddf", "456c302a", "4478193f", "7f83d577", "9949b32f"}},
        {"flat_xor_hd_4", 10, 5, {"af87f304", "66872846", "3b58dc96", "0b214de5", "2d77dea6"}},
    };
}

/// Encodes with our generator matrix and the reference multiplication.
Fragments encode_payloads(const EcScheme& scheme, ByteView segment) {
    const BackEnd& back_end = *find_back_end(scheme.ec_type).value();
    const std::size_t bytes = payload_bytes(back_end, scheme.k, segment.size());
    const gf::Matrix generator = gf::generator(back_end.code, scheme.k, scheme.m).value();
    std::vector<std::byte> padded(segment.begin(), segment.end());
    padded.resize(bytes * generator.columns());
    Fragments payloads;
    for (std::size_t i = 0; i < generator.rows(); ++i) {
        std::vector<std::byte>& payload = payloads.emplace_back(bytes);
        for (std::size_t j = 0; j < generator.columns(); ++j) {
            gf::multiply_add(generator.field(), generator.at(i, j),
                             reinterpret_cast<const std::uint8_t*>(padded.data() + j * bytes),
                             reinterpret_cast<std::uint8_t*>(payload.data()), bytes);
        }
    }
    return payloads;
}

std::string digits(ByteView payload) {
    Md5 md5;
    md5.update(payload);
    return md5.finish_hex().substr(0, 8);
}

TEST(Golden, MatricesGiveTheLibrariesParities) {
    ASSERT_EQ(md5_hex(as_text(golden_segment())), "14e3668831265e3b455485fabc84d56a");
    std::vector<Golden> all = all_golden();
    // Known digits of a back end that PyECLib 1.6 does not offer.
    all.push_back({"isa_l_rs_vand_inv", 4, 2, {"4d2a9a2c", "7db53e82"}});
    for (const Golden& golden : all) {
        const Fragments payloads =
            encode_payloads({golden.ec_type, golden.k, golden.m}, golden_segment());
        for (std::size_t p = 0; p < golden.parity_digits.size(); ++p) {
            EXPECT_EQ(digits(payloads[static_cast<std::size_t>(golden.k) + p]),
                      golden.parity_digits[p])
                << golden.ec_type;
        }
    }
}

TEST(Golden, EveryFragmentIsRebuiltByteForByte) {
    // The fragments name liberasurecode 1.6.2 as their writer, whatever is installed here.
    CpuCodecOptions options;
    options.library_version = 0x010602;
    for (const Golden& golden : all_golden()) {
        CpuCodec codec(options);
        const EcScheme scheme{golden.ec_type, golden.k, golden.m};
        const std::string stem = std::string(golden.ec_type) + "_" + std::to_string(golden.k) +
                                 "_" + std::to_string(golden.m);
        const Fragments fragments =
            golden_fragments(stem + ".bin", static_cast<std::size_t>(scheme.n()));
        ASSERT_EQ(fragments.front().size(), codec.fragment_bytes(scheme, 1029));
        Indexes all(fragments.size());
        std::iota(all.begin(), all.end(), std::uint8_t{0});
        for (std::uint8_t wanted : all) {
            const auto survivors = codec.choose_survivors(scheme, all, wanted).value();
            OneRebuild rebuild(codec.plan(scheme, survivors, wanted).value(), fragments);
            rebuild.run(codec);
            ASSERT_FALSE(rebuild.item.error) << rebuild.item.error->detail;
            EXPECT_EQ(rebuild.output, fragments[wanted]) << stem << ' ' << int{wanted};
        }
    }
}

TEST(Golden, LegacyCrcFragmentsAreReadAndWritten) {
    CpuCodecOptions options;
    options.library_version = 0x010602;
    options.crc_form = CrcForm::legacy;
    CpuCodec legacy(options);
    const EcScheme scheme{"isa_l_rs_cauchy", 4, 2};
    const Fragments fragments = golden_fragments("isa_l_rs_cauchy_4_2_legacy_crc.bin", 6);
    OneRebuild rebuild(legacy.plan(scheme, Indexes{0, 2, 4, 5}, 3).value(), fragments);
    rebuild.run(legacy);
    ASSERT_FALSE(rebuild.item.error);
    EXPECT_EQ(rebuild.output, fragments[3]);
}

}  // namespace
}  // namespace fragmend::codec
