// Making the codec that was asked for.
#include "host/app/codec_backend.hpp"

namespace fragmend::app {

Result<CodecHandle> make_backend(Backend backend, const Clock& clock, const Logger& log) {
    codec::HybridOptions options;
    options.cpu.decoder = codec::Decoder::automatic;
    options.cpu.crc_form = codec::crc_form_of_environment();
    options.cpu.log = log;
    CodecHandle handle;
    if (backend == Backend::cpu || backend == Backend::liberasurecode) {
        if (backend == Backend::liberasurecode) options.cpu.decoder = codec::Decoder::library;
        handle.codec = std::make_unique<codec::CpuCodec>(options.cpu);
        handle.why_no_device = "not asked for";
        return handle;
    }
    auto sources = codec::device_sources(options.limits, &handle.why_no_device);
    if (backend == Backend::gpu) {
        if (sources.empty()) {
            return Error{errc::unsupported_scheme, "no GPU: " + handle.why_no_device};
        }
        options.route = codec::RoutePolicy::device_first;
    }
    auto hybrid = std::make_unique<codec::HybridCodec>(options, std::move(sources), clock);
    for (const codec::DeviceStatus& status : hybrid->status()) {
        if (backend == Backend::gpu && status.state != codec::DeviceState::ready) {
            return Error{errc::unsupported_scheme, status.name + ": " + status.detail};
        }
    }
    handle.hybrid = hybrid.get();
    handle.codec = std::move(hybrid);
    return handle;
}

std::span<const codec::EcScheme> sample_schemes() {
    static const codec::EcScheme schemes[] = {{"liberasurecode_rs_vand", 10, 4},
                                              {"jerasure_rs_vand", 10, 4},
                                              {"jerasure_rs_cauchy", 10, 4},
                                              {"isa_l_rs_vand", 10, 4},
                                              {"isa_l_rs_cauchy", 10, 4},
                                              {"flat_xor_hd_3", 10, 5},
                                              {"flat_xor_hd_4", 10, 5},
                                              {"isa_l_rs_vand_inv", 10, 4},
                                              {"isa_l_rs_lrc", 10, 4},
                                              {"shss", 10, 4},
                                              {"libphazr", 10, 4}};
    return schemes;
}

}  // namespace fragmend::app
