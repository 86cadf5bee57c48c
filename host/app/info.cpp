// The machine's abilities, found at run time.
#include "host/app/info.hpp"

#include "host/app/codec_backend.hpp"
#include "host/codec/cpu_codec.hpp"
#include "host/codec/library.hpp"

namespace fragmend::app {

std::string info_text() {
    std::string text = "fragmend " FRAGMEND_VERSION "\n";
    text += "liberasurecode     " + codec::version_text(codec::library_version()) + "\n";
    text += "decode on the CPU  " + std::string(codec::available_kernels().back()->name) + "\n";
    text += "MD5 on the CPU     " + std::string(codec::available_md5_kernels().back()->name) + "\n";
    text += "GPU                see 'fragmend codec list'\n";
    codec::CpuCodec codec({.decoder = codec::Decoder::automatic});
    for (const codec::EcScheme& scheme : sample_schemes()) {
        const auto usable = codec.check(scheme);
        std::string name(scheme.ec_type);
        name.resize(24, ' ');
        text += "  " + name + (usable.has_value() ? "yes" : "no: " + usable.error().detail) + "\n";
    }
    return text;
}

}  // namespace fragmend::app
