// Each value of the option picks its codec.
#include "host/app/codec_choice.hpp"

#include <gtest/gtest.h>

namespace fragmend::app {
namespace {

const Logger silent{nullptr, LogLevel::error};

TEST(CodecChoice, FollowsTheOption) {
    swift::ReconstructorOptions options;
    EXPECT_EQ(codec_options(options, silent).decoder, codec::Decoder::automatic) << "the default";
    options.fragmend.codec = swift::CodecChoice::cpu;
    EXPECT_EQ(codec_options(options, silent).decoder, codec::Decoder::matrices);
    options.fragmend.codec = swift::CodecChoice::reference;
    EXPECT_EQ(codec_options(options, silent).decoder, codec::Decoder::library);
}

TEST(CodecChoice, SwiftsCrcOptionStandsAboveTheEnvironment) {
    swift::ReconstructorOptions options;
    setenv("LIBERASURECODE_WRITE_LEGACY_CRC", "1", 1);
    EXPECT_EQ(codec_options(options, silent).crc_form, codec::CrcForm::legacy);
    options.write_legacy_ec_crc = false;
    EXPECT_EQ(codec_options(options, silent).crc_form, codec::CrcForm::standard);
    unsetenv("LIBERASURECODE_WRITE_LEGACY_CRC");
    EXPECT_EQ(codec_options(options, silent).crc_form, codec::CrcForm::standard);
    options.write_legacy_ec_crc = true;
    EXPECT_EQ(codec_options(options, silent).crc_form, codec::CrcForm::legacy);
}

}  // namespace
}  // namespace fragmend::app
