// What every plan asks of its indexes.
#include "host/codec/fragment_plan.hpp"

namespace fragmend::codec {

Result<void> check_indexes(const EcScheme& scheme, std::span<const std::uint8_t> survivors,
                           std::span<const std::uint8_t> wanted) {
    const auto n = static_cast<std::size_t>(scheme.n());
    std::vector<bool> seen(n);
    const auto refuse = [&](const char* what, std::uint8_t index) {
        return Error{errc::singular, to_string(scheme) + ": " + what + ' ' + std::to_string(index) +
                                         " cannot be used"};
    };
    for (std::uint8_t index : wanted) {
        if (index >= n)
            return Error{errc::singular,
                         to_string(scheme) + ": there is no fragment " + std::to_string(index)};
        if (seen[index]) return refuse("wanted", index);
        seen[index] = true;
    }
    for (std::uint8_t index : survivors) {
        if (index >= n || seen[index]) return refuse("survivor", index);
        seen[index] = true;
    }
    if (!wanted.empty()) return {};
    return Error{errc::singular, to_string(scheme) + ": nothing is wanted"};
}

}  // namespace fragmend::codec
