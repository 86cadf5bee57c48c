// Finding devices, and wiring them to the codec.
#include "host/codec/make_codec.hpp"

#include "host/codec/errand.hpp"
#include "kernels/api/devices.hpp"

namespace fragmend::codec {

namespace {

/// Loading a driver may hang as any call of it.
constexpr std::chrono::seconds find_max{30};

kernels::Devices find_devices() {
    const auto found = std::make_shared<kernels::Devices>();
    Errand question([found] { *found = kernels::find_devices(); });
    if (question.wait(find_max)) return *found;
    return {0, "the driver does not answer"};
}

}  // namespace

std::vector<DeviceSource> device_sources(const kernels::Limits& limits, std::string* why_none) {
    const kernels::Devices found = find_devices();
    if (why_none != nullptr) *why_none = found.why_none;
    std::vector<DeviceSource> sources;
    for (int i = 0; i < found.count; ++i) {
        sources.push_back(
            {"GPU " + std::to_string(i), [i, limits](std::unique_ptr<kernels::Engine>& engine) {
                 return kernels::make_engine(i, limits, engine);
             }});
    }
    return sources;
}

std::unique_ptr<scheduler::Codec> make_codec(CpuCodecOptions options, const Clock& clock) {
    HybridOptions hybrid;
    hybrid.cpu = std::move(options);
    if (hybrid.cpu.decoder == Decoder::library) {
        return std::make_unique<CpuCodec>(std::move(hybrid.cpu));
    }
    auto sources = device_sources(hybrid.limits, nullptr);
    if (sources.empty()) return std::make_unique<CpuCodec>(std::move(hybrid.cpu));
    return std::make_unique<HybridCodec>(std::move(hybrid), std::move(sources), clock);
}

}  // namespace fragmend::codec
