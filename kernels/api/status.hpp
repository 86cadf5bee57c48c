// How an engine says what went wrong: kernels/ knows nothing of the host's errors.
#pragma once

#include <cstdint>

namespace fragmend::kernels {

enum class StatusCode : std::uint8_t {
    ok,
    bad_item,       ///< An item contradicts its rows or the limits; cure: the caller's code.
    too_large,      ///< The batch as a whole exceeds a limit; cure: split it.
    busy,           ///< All batches that may be in flight are; cure: wait for one.
    bad_ticket,     ///< Not a ticket of a batch in flight; cure: the caller's code.
    no_device,      ///< No usable device, or none for which this was built.
    out_of_memory,  ///< At start only: the steady state allocates nothing.
    device_error,   ///< A call failed and the device lives; cure: repeat the batch, elsewhere at
                    ///< best.
    device_lost,    ///< The context is dead; cure: leave this engine, try a new one later.
    timed_out,  ///< The batch outlasted the wait. Its memory is still in use: see `Engine::wait`.
};

/// The outcome of a call. `detail` is text of static lifetime.
struct [[nodiscard]] Status {
    StatusCode code = StatusCode::ok;
    std::uint32_t item = 0;  ///< For bad_item: which one of the batch.
    const char* detail = "";

    bool ok() const { return code == StatusCode::ok; }
};

const char* name(StatusCode code);

}  // namespace fragmend::kernels
