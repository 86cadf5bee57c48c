// Taking turns.
#include "host/scan/turns.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace fragmend::scan {
namespace {

/// Whether `one` and `other` have a partner in common.
bool are_rivals(std::size_t one, std::size_t other, std::size_t primaries) {
    const auto partners = [primaries](std::size_t own) {
        return std::array{(own + primaries - 1) % primaries, (own + 1) % primaries,
                          (own + primaries / 2) % primaries};
    };
    for (const std::size_t partner : partners(one)) {
        if (std::ranges::count(partners(other), partner) > 0) return true;
    }
    return false;
}

}  // namespace

std::vector<std::size_t> colours_of(std::size_t primaries) {
    std::vector<std::size_t> colours;
    for (std::size_t place = 0; place < primaries; ++place) {
        std::array<bool, rounds_max> taken{};
        for (std::size_t earlier = 0; earlier < place; ++earlier) {
            if (are_rivals(place, earlier, primaries)) taken[colours[earlier]] = true;
        }
        colours.push_back(
            static_cast<std::size_t>(std::ranges::find(taken, false) - taken.begin()));
    }
    return colours;
}

std::size_t round_of(std::uint32_t partition, std::size_t own, std::size_t primaries) {
    const auto colours = colours_of(primaries);
    // The partition's permutation of the colours: as many partitions in a row as there are
    // permutations bring each of them once.
    std::vector<std::size_t> rounds(std::ranges::max(colours) + 1);
    std::iota(rounds.begin(), rounds.end(), std::size_t{0});
    std::size_t rest = partition;
    for (std::size_t colour = 0; colour < colours[own]; ++colour) {
        rounds.erase(rounds.begin() + static_cast<std::ptrdiff_t>(rest % rounds.size()));
        rest /= rounds.size() + 1;
    }
    return rounds[rest % rounds.size()];
}

}  // namespace fragmend::scan
