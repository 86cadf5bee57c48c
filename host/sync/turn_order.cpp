// Shuffling in groups, by risk.
#include "host/sync/turn_order.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

namespace fragmend::sync {

std::vector<std::size_t> turn_order(std::span<const WaitingTurn> turns, std::mt19937_64& random) {
    std::vector<std::size_t> shuffled(turns.size());
    std::iota(shuffled.begin(), shuffled.end(), std::size_t{0});
    std::ranges::shuffle(shuffled, random);

    using Group = std::vector<std::size_t>;
    std::map<std::size_t, std::vector<Group>, std::greater<>> full;  // By lost primaries.
    std::map<std::pair<std::size_t, std::string_view>, Group> open;  // And by device.
    for (const std::size_t position : shuffled) {
        const WaitingTurn& turn = turns[position];
        Group& group = open[{turn.lost, turn.local_device}];
        group.push_back(position);
        if (group.size() == looked_at_together) full[turn.lost].push_back(std::exchange(group, {}));
    }
    for (auto& [of, group] : open)
        full[of.first].push_back(std::move(group));

    std::vector<std::size_t> order;
    order.reserve(turns.size());
    for (auto& [lost, groups] : full) {
        std::ranges::shuffle(groups, random);
        for (const Group& group : groups)
            std::ranges::copy(group, std::back_inserter(order));
    }
    return order;
}

}  // namespace fragmend::sync
