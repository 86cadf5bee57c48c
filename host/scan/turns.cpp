// Taking turns.
#include "host/scan/turns.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace fragmend::scan {
namespace {

/// By the distance from one primary to another around the ring: whether they have a partner in
/// common.
std::vector<bool> rivals_by_distance(std::size_t primaries) {
    const std::array partners{primaries - 1, std::size_t{1}, primaries / 2};
    std::vector<bool> are_rivals(primaries);
    for (const std::size_t one : partners) {
        for (const std::size_t other : partners)
            are_rivals[(primaries + one - other) % primaries] = true;
    }
    return are_rivals;
}

}  // namespace

std::vector<std::size_t> colours_of(std::size_t primaries) {
    const auto are_rivals = rivals_by_distance(primaries);
    std::vector<std::size_t> colours;
    colours.reserve(primaries);
    for (std::size_t place = 0; place < primaries; ++place) {
        std::array<bool, rounds_max> taken{};
        for (std::size_t earlier = 0; earlier < place; ++earlier) {
            if (are_rivals[place - earlier]) taken[colours[earlier]] = true;
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
