// Counts of devices, told.
#include "host/app/device_report.hpp"

namespace fragmend::app {
namespace {

std::string_view state_name(codec::DeviceState state) {
    switch (state) {
        case codec::DeviceState::ready:
            return "ready";
        case codec::DeviceState::resting:
            return "resting";
        case codec::DeviceState::gone:
            return "gone";
    }
    return "";
}

template <typename Choose>
std::string names_of(std::span<const codec::DeviceStatus> devices, Choose choose) {
    std::string names;
    for (const codec::DeviceStatus& device : devices) {
        if (choose(device)) names += device.name + " and ";
    }
    return names + "CPU";
}

}  // namespace

std::vector<codec::DeviceStatus> devices_of(const scheduler::Codec& codec) {
    const auto* hybrid = dynamic_cast<const codec::HybridCodec*>(&codec);
    return hybrid == nullptr ? std::vector<codec::DeviceStatus>() : hybrid->status();
}

scheduler::CodecTimes times_of(const scheduler::Codec& codec) {
    if (const auto* hybrid = dynamic_cast<const codec::HybridCodec*>(&codec))
        return hybrid->times();
    const auto* cpu = dynamic_cast<const codec::CpuCodec*>(&codec);
    return cpu == nullptr ? scheduler::CodecTimes() : cpu->times();
}

std::string decoders_ready(std::span<const codec::DeviceStatus> devices) {
    return names_of(devices, [](const auto& d) { return d.state == codec::DeviceState::ready; });
}

std::string decoders_seen(std::span<const codec::DeviceStatus> devices) {
    return names_of(devices, [](const auto& device) { return device.items > 0; });
}

boost::json::array devices_json(std::span<const codec::DeviceStatus> devices) {
    boost::json::array all;
    for (const codec::DeviceStatus& device : devices) {
        all.push_back({{"name", device.name},
                       {"state", state_name(device.state)},
                       {"detail", device.detail},
                       {"batches", device.batches},
                       {"items", device.items},
                       {"failures", device.failures},
                       {"wrong_items", device.wrong_items},
                       {"returns", device.returns},
                       {"trying", device.trying}});
    }
    return all;
}

std::vector<std::string> device_warnings(std::span<const codec::DeviceStatus> devices) {
    std::vector<std::string> warnings;
    for (const codec::DeviceStatus& device : devices) {
        std::string text;
        const auto add = [&text](const std::string& what) {
            text += (text.empty() ? "" : ", ") + what;
        };
        if (device.items == 0) add("decoded nothing");
        if (device.failures > 0) add(std::to_string(device.failures) + " batches failed");
        if (device.wrong_items > 0) add(std::to_string(device.wrong_items) + " items were wrong");
        if (device.state != codec::DeviceState::ready)
            add("it is " + std::string(state_name(device.state)));
        if (text.empty()) continue;
        if (!device.detail.empty()) text += " (" + device.detail + ")";
        warnings.push_back("warning: " + device.name + ": " + text +
                           "; the CPU did what it did not");
    }
    return warnings;
}

}  // namespace fragmend::app
