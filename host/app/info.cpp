// The machine's abilities, found at run time.
#include "host/app/info.hpp"

#include <array>

#include "host/codec/cpu_codec.hpp"
#include "host/codec/library.hpp"

namespace fragmend::app {
namespace {

/// One scheme of each ec_type that Swift can be configured with.
struct Sample {
    const char* ec_type;
    int k;
    int m;
};
constexpr std::array<Sample, 11> samples{{
    {"liberasurecode_rs_vand", 10, 4},
    {"jerasure_rs_vand", 10, 4},
    {"jerasure_rs_cauchy", 10, 4},
    {"isa_l_rs_vand", 10, 4},
    {"isa_l_rs_cauchy", 10, 4},
    {"flat_xor_hd_3", 10, 5},
    {"flat_xor_hd_4", 10, 5},
    {"isa_l_rs_vand_inv", 10, 4},
    {"isa_l_rs_lrc", 10, 4},
    {"shss", 10, 4},
    {"libphazr", 10, 4},
}};

}  // namespace

std::string info_text() {
    std::string text = "fragmend " FRAGMEND_VERSION "\n";
    text += "liberasurecode     " + codec::version_text(codec::library_version()) + "\n";
    text += "decode on the CPU  " + std::string(codec::available_kernels().back()->name) + "\n";
    text += "MD5 on the CPU     " + std::string(codec::available_md5_kernels().back()->name) + "\n";
    text += "GPU                see 'fragmend codec list'\n";
    codec::CpuCodec codec({.decoder = codec::Decoder::automatic});
    for (const auto& sample : samples) {
        const auto usable = codec.check({sample.ec_type, sample.k, sample.m});
        std::string name = sample.ec_type;
        name.resize(24, ' ');
        text += "  " + name + (usable.has_value() ? "yes" : "no: " + usable.error().detail) + "\n";
    }
    return text;
}

}  // namespace fragmend::app
