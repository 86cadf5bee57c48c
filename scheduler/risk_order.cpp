// Sorting by risk and age.
#include "scheduler/risk_order.hpp"

#include <algorithm>
#include <numeric>

namespace fragmend::scheduler {

std::vector<std::size_t> risk_order(std::span<const AtRisk> objects) {
    std::vector<std::size_t> order(objects.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t one, std::size_t other) {
        if (objects[one].missing != objects[other].missing)
            return objects[one].missing > objects[other].missing;
        return objects[one].data < objects[other].data;
    });
    return order;
}

}  // namespace fragmend::scheduler
