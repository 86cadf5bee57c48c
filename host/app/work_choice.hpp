// Which part of a pass somebody means.
#pragma once

#include <string>
#include <string_view>
#include <utility>

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

/// `device d1, partition 3`.
inline std::string to_string(const WorkChoice& choice) {
    std::string text;
    for (const auto& [what, value] :
         {std::pair("device ", &choice.device), std::pair("partition ", &choice.partition),
          std::pair("object ", &choice.object)}) {
        if (!value->empty()) text += (text.empty() ? "" : ", ") + std::string(what) + *value;
    }
    return text;
}

}  // namespace fragmend::app
