// Options to settings.
#include "host/app/throttle_choice.hpp"

#include <algorithm>

#include "host/swift/throttle_options.hpp"

namespace fragmend::app {
namespace {

std::uint64_t part_of(std::uint64_t rate, std::uint64_t processes) {
    return rate == 0 ? 0 : std::max<std::uint64_t>(1, rate / processes);
}

scheduler::ByteRates rates(const swift::RateOptions& options, std::uint64_t processes) {
    return {part_of(options.total, processes), part_of(options.per_node, processes),
            part_of(options.per_device, processes)};
}

scheduler::Profile profile(swift::ProfileChoice choice) {
    switch (choice) {
        case swift::ProfileChoice::polite:
            return scheduler::Profile::polite;
        case swift::ProfileChoice::balanced:
            return scheduler::Profile::balanced;
        default:
            return scheduler::Profile::urgent;
    }
}

}  // namespace

scheduler::ThrottleSettings throttle_settings(const swift::ThrottleOptions& options,
                                              const Share& share) {
    const auto processes = static_cast<std::uint64_t>(std::max(1, share.worker_count));
    return {rates(options.read, processes), rates(options.send, processes),
            profile(options.profile)};
}

Result<swift::ThrottleOptions> changed_limits(const ControlRequest& request,
                                              const swift::ThrottleOptions& now,
                                              const swift::ThrottleOptions& configured) {
    swift::ThrottleOptions limits = request.configured ? configured : now;
    for (const auto& [name, value] : request.limits) {
        const auto set = swift::set_throttle_option(limits, name, value);
        if (set.has_error())
            return Error{errc::bad_config, name + " = " + value + ": " + set.error().detail};
    }
    return limits;
}

}  // namespace fragmend::app
