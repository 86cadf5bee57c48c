// Options to settings.
#include "host/app/throttle_choice.hpp"

namespace fragmend::app {
namespace {

scheduler::ByteRates rates(const swift::RateOptions& options) {
    return {options.total, options.per_node, options.per_device};
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

scheduler::ThrottleSettings throttle_settings(const swift::FragmendOptions& options) {
    return {rates(options.read_limit), rates(options.send_limit), profile(options.profile)};
}

}  // namespace fragmend::app
