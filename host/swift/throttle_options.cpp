// Names and values to settings.
#include "host/swift/throttle_options.hpp"

#include <string>

#include "host/swift/option_reader.hpp"
#include "host/swift/python_text.hpp"

namespace fragmend::swift {
namespace {

/// What goes slower keeps peers waiting for longer than they bear.
constexpr std::uint64_t rate_limit_min = 1 << 20;

std::uint64_t* rate_of(ThrottleOptions& options, std::string_view name) {
    if (name == "read_limit") return &options.read.total;
    if (name == "node_read_limit") return &options.read.per_node;
    if (name == "device_read_limit") return &options.read.per_device;
    if (name == "send_limit") return &options.send.total;
    if (name == "node_send_limit") return &options.send.per_node;
    if (name == "device_send_limit") return &options.send.per_device;
    return nullptr;
}

Result<void> set_profile(ThrottleOptions& options, std::string_view value) {
    const std::string name = lower_ascii(std::string(value));
    if (name == "polite")
        options.profile = ProfileChoice::polite;
    else if (name == "balanced")
        options.profile = ProfileChoice::balanced;
    else if (name == "urgent")
        options.profile = ProfileChoice::urgent;
    else
        return Error{errc::bad_config, "must be polite, balanced or urgent"};
    return {};
}

}  // namespace

Result<void> set_throttle_option(ThrottleOptions& options, std::string_view name,
                                 std::string_view value) {
    if (name == "profile") return set_profile(options, value);
    std::uint64_t* const rate = rate_of(options, name);
    if (rate == nullptr) return Error{errc::bad_config, "there is no such option"};
    const auto bytes = size_in_bytes(value);
    if (!bytes || (*bytes > 0 && *bytes < rate_limit_min)) {
        return Error{errc::bad_config,
                     "must be 0 for no limit, or at least 1M bytes a second, such as 50M"};
    }
    *rate = *bytes;
    return {};
}

}  // namespace fragmend::swift
