// Which part of a pass somebody means.
#pragma once

#include <string>
#include <string_view>

namespace fragmend::app {

/// All that is not empty has to fit; an empty one means everything.
struct WorkChoice {
    std::string device;     ///< A local device.
    std::string partition;  ///< Decimal.
    std::string object;     ///< `/account/container/object`.

    bool is_everything() const { return device.empty() && partition.empty() && object.empty(); }
    /// Whether a whole partition is meant. Never so when an object is.
    bool fits(std::string_view on_device, std::string_view in_partition) const {
        return object.empty() && (device.empty() || device == on_device) &&
               (partition.empty() || partition == in_partition);
    }
    bool operator==(const WorkChoice&) const = default;
};

}  // namespace fragmend::app
