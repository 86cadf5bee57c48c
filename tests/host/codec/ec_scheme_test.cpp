// Names and lengths of schemes.
#include "host/codec/ec_scheme.hpp"

#include <gtest/gtest.h>

#include "host/codec/cpu_codec.hpp"

namespace fragmend::codec {
namespace {

std::size_t fragment_bytes(const char* ec_type, int k, std::size_t segment_bytes) {
    return 80 + payload_bytes(*find_back_end(ec_type).value(), k, segment_bytes);
}

TEST(EcScheme, FragmentLengthsOfKnownSegments) {
    for (const char* ec_type : {"isa_l_rs_vand", "isa_l_rs_cauchy", "liberasurecode_rs_vand",
                                "jerasure_rs_vand", "isa_l_rs_vand_inv"}) {
        EXPECT_EQ(fragment_bytes(ec_type, 4, 1048576), 262224u) << ec_type;
        EXPECT_EQ(fragment_bytes(ec_type, 4, 2600), 730u) << ec_type;
    }
    EXPECT_EQ(fragment_bytes("flat_xor_hd_4", 10, 1048576), 104940u);
    EXPECT_EQ(fragment_bytes("isa_l_rs_cauchy", 4, 1), 81u);
    EXPECT_EQ(fragment_bytes("liberasurecode_rs_vand", 4, 1), 82u);
    EXPECT_EQ(fragment_bytes("jerasure_rs_cauchy", 4, 1), 4176u);
    EXPECT_EQ(fragment_bytes("isa_l_rs_cauchy", 10, 1048576), 104938u);
}

TEST(EcScheme, RefusesWhatItCannotDecodeAndSaysWhy) {
    for (const char* ec_type : {"shss", "libphazr", "isa_l_rs_lrc", "", "ISA_L_RS_VAND", "null"}) {
        const auto found = find_back_end(ec_type);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, errc::unsupported_scheme);
        EXPECT_EQ(found.error().detail.find('\n'), std::string::npos);
    }
    EXPECT_NE(find_back_end("shss").error().detail.find("proprietary"), std::string::npos);
}

TEST(EcScheme, CheckNamesWhatIsMissingInOneLine) {
    CpuCodec codec;
    EXPECT_TRUE(codec.check({"liberasurecode_rs_vand", 4, 2}));
    EXPECT_TRUE(codec.check({"liberasurecode_rs_vand", 4, 2})) << "twice is as good as once";
    EXPECT_TRUE(codec.check({"flat_xor_hd", 10, 5}));
    for (const EcScheme& scheme :
         {EcScheme{"flat_xor_hd_3", 11, 5}, EcScheme{"shss", 4, 2},
          EcScheme{"liberasurecode_rs_vand", 0, 2}, EcScheme{"liberasurecode_rs_vand", 30, 20}}) {
        const Result<void> checked = codec.check(scheme);
        ASSERT_FALSE(checked) << to_string(scheme);
        EXPECT_EQ(checked.error().code, errc::unsupported_scheme);
        EXPECT_NE(checked.error().detail.find(scheme.ec_type), std::string::npos);
    }
}

}  // namespace
}  // namespace fragmend::codec
