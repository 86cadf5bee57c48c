// Ages by half a hash.
#include "host/sync/session_order.hpp"

#include <algorithm>
#include <limits>

#include "scheduler/risk_order.hpp"

namespace fragmend::sync {
namespace {

/// Fragments of the object that are known or thought to be missing beside the wanted one.
std::size_t missing_beside(const std::string& object_hash, const SessionPlan& plan,
                           const Risks* risks) {
    const auto is_known = [&](std::uint32_t device_id) {
        return risks != nullptr && risks->is_missing(object_hash, device_id);
    };
    std::size_t missing = 0;
    if (risks != nullptr) missing = risks->missing(object_hash) - is_known(plan.target.id);
    // Of the targets of later sessions only the suffix is known to differ.
    for (const LaterTarget& later : plan.later) {
        missing +=
            !is_known(later.device_id) &&
            std::ranges::binary_search(later.suffixes, swift::SuffixName(object_hash.substr(29)));
    }
    return missing;
}

}  // namespace

void SessionOrder::offered(const ObjectHash& object_hash, const Timestamp& data) {
    if (offers_.size() < offers_max) offers_.emplace_back(object_hash.first_half(), data.raw);
}

void SessionOrder::sort(std::vector<transport::ssync::Wanted>& objects, const SessionPlan& plan,
                        const Risks* risks) {
    std::ranges::sort(offers_);
    std::vector<scheduler::AtRisk> at_risk;
    at_risk.reserve(objects.size());
    for (const auto& object : objects) {
        const std::uint64_t half = object.object_hash.first_half();
        const auto found = std::ranges::lower_bound(offers_, half, {},
                                                    [](const auto& offer) { return offer.first; });
        scheduler::AtRisk& one = at_risk.emplace_back();
        one.missing = missing_beside(object.object_hash.hex(), plan, risks);
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
