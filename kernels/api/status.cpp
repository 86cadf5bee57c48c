// Names of outcomes.
#include "kernels/api/status.hpp"

namespace fragmend::kernels {

const char* name(StatusCode code) {
    switch (code) {
        case StatusCode::ok:
            return "ok";
        case StatusCode::bad_item:
            return "bad item";
        case StatusCode::too_large:
            return "too large";
        case StatusCode::busy:
            return "busy";
        case StatusCode::bad_ticket:
            return "bad ticket";
        case StatusCode::no_device:
            return "no device";
        case StatusCode::out_of_memory:
            return "out of memory";
        case StatusCode::device_error:
            return "device error";
        case StatusCode::device_lost:
            return "device lost";
        case StatusCode::timed_out:
            return "timed out";
    }
    return "unknown";
}

}  // namespace fragmend::kernels
