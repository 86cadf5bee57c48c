// The bounded cache of decode plans.
#include "host/codec/plan_cache.hpp"

namespace fragmend::codec {

std::shared_ptr<const FragmentPlan> PlanCache::find(const PlanKey& key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->plan;
}

void PlanCache::insert(PlanKey key, std::shared_ptr<const FragmentPlan> plan) {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = by_key_.try_emplace(std::move(key));
    if (!is_new) return;
    by_use_.push_front({&place->first, std::move(plan)});
    place->second = by_use_.begin();
    if (by_key_.size() <= plans_max_) return;
    by_key_.erase(by_key_.find(*by_use_.back().key));
    by_use_.pop_back();
}

void PlanCache::clear() {
    const std::lock_guard lock(mutex_);
    by_key_.clear();
    by_use_.clear();
}

std::size_t PlanCache::size() const {
    const std::lock_guard lock(mutex_);
    return by_key_.size();
}

}  // namespace fragmend::codec
