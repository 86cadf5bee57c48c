// Ages by half a hash.
#include "host/sync/session_order.hpp"

#include <algorithm>
#include <limits>

#include "scheduler/risk_order.hpp"

namespace fragmend::sync {

void SessionOrder::offered(const ObjectHash& object_hash, const Timestamp& data) {
    if (offers_.size() < offers_max) offers_.emplace_back(object_hash.first_half(), data.raw);
}

void SessionOrder::sort(std::vector<transport::ssync::Wanted>& objects,
                        const std::function<std::size_t(const std::string& object_hash)>& missing) {
    std::ranges::sort(offers_);
    std::vector<scheduler::AtRisk> at_risk;
    at_risk.reserve(objects.size());
    for (const auto& object : objects) {
        const std::uint64_t half = object.object_hash.first_half();
        const auto found = std::ranges::lower_bound(offers_, half, {},
                                                    [](const auto& offer) { return offer.first; });
        scheduler::AtRisk& one = at_risk.emplace_back();
        one.missing = missing(object.object_hash.hex());
        one.data.raw = found != offers_.end() && found->first == half
                           ? found->second
                           : std::numeric_limits<std::int64_t>::max();
    }
    std::vector<transport::ssync::Wanted> sorted;
    sorted.reserve(objects.size());
    for (const std::size_t position : scheduler::risk_order(at_risk))
        sorted.push_back(objects[position]);
    objects = std::move(sorted);
    offers_ = {};
}

}  // namespace fragmend::sync
