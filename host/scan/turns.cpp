// Taking turns.
#include "host/scan/turns.hpp"

#include <algorithm>
#include <vector>

namespace fragmend::scan {

std::size_t round_of(std::uint32_t partition, std::size_t own, std::size_t target,
                     std::size_t primaries) {
    // Those to whom the target is the left, the right, the far partner. Few primaries fall
    // together.
    std::vector<std::size_t> senders;
    for (const std::size_t place :
         {target + 1, target + primaries - 1, target + primaries - primaries / 2}) {
        const std::size_t sender = place % primaries;
        if (std::find(senders.begin(), senders.end(), sender) == senders.end())
            senders.push_back(sender);
    }
    const auto mine = std::find(senders.begin(), senders.end(), own);
    if (mine == senders.end()) return 0;
    const auto position = static_cast<std::size_t>(mine - senders.begin());
    return (position + partition) % senders.size();
}

}  // namespace fragmend::scan
