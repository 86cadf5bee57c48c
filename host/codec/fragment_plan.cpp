// What every plan asks of its indexes.
#include "host/codec/fragment_plan.hpp"

namespace fragmend::codec {

Result<void> check_indexes(const EcScheme& scheme, std::span<const std::uint8_t> survivors,
                           std::uint8_t wanted) {
    const auto n = static_cast<std::size_t>(scheme.n());
    std::vector<bool> seen(n);
    for (std::uint8_t index : survivors) {
        if (index >= n || index == wanted || seen[index]) {
            return Error{errc::singular, to_string(scheme) + ": survivor " + std::to_string(index) +
                                             " cannot be used"};
        }
        seen[index] = true;
    }
    if (wanted < n) return {};
    return Error{errc::singular,
                 to_string(scheme) + ": there is no fragment " + std::to_string(wanted)};
}

}  // namespace fragmend::codec
