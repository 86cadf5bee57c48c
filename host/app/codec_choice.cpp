// From options to options.
#include "host/app/codec_choice.hpp"

namespace fragmend::app {
namespace {

codec::Decoder decoder(swift::CodecChoice choice) {
    switch (choice) {
        case swift::CodecChoice::cpu:
            return codec::Decoder::matrices;
        case swift::CodecChoice::reference:
            return codec::Decoder::library;
        case swift::CodecChoice::automatic:
            break;
    }
    return codec::Decoder::automatic;
}

}  // namespace

codec::CpuCodecOptions codec_options(const swift::ReconstructorOptions& options,
                                     const Logger& log) {
    codec::CpuCodecOptions out;
    out.decoder = decoder(options.fragmend.codec);
    out.crc_form = codec::crc_form_of_environment();
    if (options.write_legacy_ec_crc) {
        out.crc_form =
            *options.write_legacy_ec_crc ? codec::CrcForm::legacy : codec::CrcForm::standard;
    }
    out.log = log;
    return out;
}

}  // namespace fragmend::app
